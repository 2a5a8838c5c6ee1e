"""Models of RecBole that want more of a data set than rows: the stream gives it, or refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from recbole.data.interaction import Interaction
from recbole.utils.enum_type import FeatureType
from torch import Tensor

from recbole_imn.data.dataset import StreamDataset
from recbole_imn.errors import SettingsError
from recbole_imn.model.rows import EVENT_INDEX


class NegativeHistories(StreamDataset):
    """The stream with another item beside each of a history, for DIEN.

    One is drawn for each event, as RecBole's ``DIENDataset`` does
    (data/dataset/customized_dataset.py), whose rows are not those of the stream.
    """

    neg_item_list_field: str
    negatives: npt.NDArray[np.int64]

    def data_augmentation(self) -> None:
        """Make rows, and draw an item for each event."""
        super().data_augmentation()
        prefix, suffix = self.config["NEG_PREFIX"], self.config["LIST_SUFFIX"]
        self.neg_item_list_field = f"{prefix}{self.iid_field}{suffix}"
        items = self.events[self.iid_field].numpy()
        # One draw an event, and none from a state that others share: what comes later in the
        # log must not change what was drawn before, or is drawn next.
        n_items, rng = self.item_num - 1, np.random.default_rng(self.config["seed"])
        steps = rng.integers(1, max(n_items, 2), len(items))
        self.negatives = 1 + (items - 1 + steps) % n_items

    def _histories(self, events: Tensor) -> Interaction:
        lists = super()._histories(events)
        indices = self.histories_before(events.reshape(-1).numpy(), self.max_item_list_len)
        drawn = torch.from_numpy(np.where(indices >= 0, self.negatives[indices], 0))
        lists.update(
            Interaction({self.neg_item_list_field: drawn[0] if events.ndim == 0 else drawn})
        )
        return lists


class StoredHistories(StreamDataset):
    """The stream with every row's item history in memory, for FEARec, which looks rows up."""

    def build(self) -> list[StreamDataset]:
        """Split into training, validation and test rows.

        Raises
        ------
        SettingsError
            If the model has one layer; it divides its spectrum among all but one.
        """
        if self.config["n_layers"] < 2:
            raise SettingsError(f"n_layers is {self.config['n_layers']}; FEARec needs 2 or more")
        parts = super().build()
        name = f"{self.iid_field}{self.config['LIST_SUFFIX']}"
        histories = parts[0]._histories(parts[0].inter_feat[EVENT_INDEX])
        parts[0].inter_feat.update(Interaction({name: histories[name]}))
        return parts


class ItemAttribute(StreamDataset):
    """The stream for S3Rec, with what that model needs checked before it is made."""

    def build(self) -> list[StreamDataset]:
        """Split into training, validation and test rows.

        Raises
        ------
        SettingsError
            If the attribute is not there, or no earlier training is named to go on from.
        """
        field = self.config["item_attribute"]
        if self.item_feat is None or self.field2type.get(field) != FeatureType.TOKEN_SEQ:
            raise SettingsError(
                f"S3Rec learns from item_attribute {field!r}, which must be a column "
                f"{field}:token_seq of {self.file('item')}, named in load_col"
            )
        earlier = self.config["pre_model_path"]
        if self.config["train_stage"] == "finetune" and not (earlier and Path(earlier).is_file()):
            raise SettingsError(
                "S3Rec with train_stage: finetune needs pre_model_path, a checkpoint of "
                f"train_stage: pretrain; it is {earlier!r}"
            )
        return super().build()


BY_MODEL: dict[str, type[StreamDataset]] = {
    "DIEN": NegativeHistories,
    "FEARec": StoredHistories,
    "S3Rec": ItemAttribute,
}


def stream_class(model: str, upstream: Any) -> type[StreamDataset]:
    """Give the class by which a sequential model reads the stream.

    Parameters
    ----------
    model : str
    upstream : type or None
        The class that RecBole has for this model alone.

    Raises
    ------
    SettingsError
        If that class makes other rows, and there is none of ours for the model.
    """
    if upstream is not None and issubclass(upstream, StreamDataset):
        own: type[StreamDataset] = upstream
        return own
    if upstream is not None and model not in BY_MODEL:
        raise SettingsError(
            f"{model} reads data by a class of its own, {upstream.__name__}, whose rows are not "
            "those of the stream: it would be tested on other rows than every other model"
        )
    return BY_MODEL.get(model, StreamDataset)

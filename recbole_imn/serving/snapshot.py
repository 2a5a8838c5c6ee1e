"""What a checkpoint carries beside the weights, so that it can be used without its data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recbole_imn import own_models
from recbole_imn.compat import model_names
from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.errors import CheckpointError, named_line
from recbole_imn.log import EventLog
from recbole_imn.serving.attributes import Attributes
from recbole_imn.serving.names import Names
from recbole_imn.serving.packing import pack, unpack
from recbole_imn.serving.shelf import OpenShelf

KEY = "snapshot"
FORMAT = 1
# The fields of events that enter updates, and those that tell of the shelf.
EVENT_FIELDS = ("event_features", "inventory_features")


@dataclass
class Snapshot:
    """A market at one moment.

    Attributes
    ----------
    log : EventLog
        All that has happened.
    n_training : int
        Events that the weights were trained on, at the log's start.
    bounds : tuple of int
        Positions where training, validation and test began, and the log's end, when the
        weights were tested.
    users, items : Names
    behaviours : list of str
        Names of the kinds of action by number; number 0 is the unknown one.
    other_fields : list of str
        Further columns that the log's events have, which the model does not read.
    feature_maps : dict of str to FeatureMap
        How cells of events and items become numbers.
    item_features : float32 [n_items, n_features]
    attributes : Attributes
    shelf : OpenShelf or None
        None where nobody has said what is for sale.
    origin : float or None
        Epoch seconds of the log's second 0, if they are known.
    data_name : str
    simulated : str or None
        The notice that goes with simulated data.
    memories : list or None
        States at the log's end, as ``Session.state`` gives them; None before they are made.
    journal_offset : int
        Records of a journal that are part of all this.
    journal_mark : str
        Sum of the last of them, by which the journal is known again; empty where there is none.
    keys : list of str
        Keys of the latest events that had one, oldest first.
    forgotten : int
        Number of users who were forgotten.
    n_fitted : int or None
        Events that scales were fitted on, at the log's start; None where these are all that
        the weights were trained on.
    time_zone : str or None
        Where the clocks hung that the log's times were read from; None where nobody knows.
    fitted_features : float32 [n_fitted_items, n_features] or None
        Features that the items of these events had then, in order of their numbers; None where
        nobody has told anything of items since.
    purchase_of : dict of str to bool or None
        Whether events of a behaviour are purchases where nobody says, as the log had it at first:
        what comes later says it of itself alone. None before it was asked.
    """

    log: EventLog
    n_training: int
    bounds: tuple[int, ...]
    users: Names
    items: Names
    behaviours: list[str]
    other_fields: list[str]
    feature_maps: dict[str, FeatureMap]
    item_features: Tensor
    attributes: Attributes
    shelf: OpenShelf | None
    origin: float | None
    data_name: str
    simulated: str | None = None
    memories: list[Any] | None = None
    journal_offset: int = 0
    keys: list[str] = field(default_factory=list)
    forgotten: int = 0
    n_fitted: int | None = None
    journal_mark: str = ""
    time_zone: str | None = None
    fitted_features: Tensor | None = None
    purchase_of: dict[str, bool] | None = None

    @property
    def fitted(self) -> int:
        """Number of events that scales are fitted on, at the start of the log."""
        return self.n_training if self.n_fitted is None else self.n_fitted

    @property
    def fitted_items(self) -> Tensor:
        """Numbers of the items of these events, int64 [n_fitted_items]."""
        return torch.from_numpy(np.unique(self.log.item[: self.fitted]).astype(np.int64))

    def purchases_until(self, stop: int) -> dict[str, bool]:
        """Say of each behaviour if its events before a position are purchases, if all alike."""
        found = {}
        behaviours, purchases = self.log.behaviour[:stop], self.log.purchase[:stop]
        for number, name in enumerate(self.behaviours):
            flags = purchases[behaviours == number]
            if number and (len(flags) == 0 or flags.all() or not flags.any()):
                found[name] = bool(len(flags) and flags[0])
        return found

    def keep_fitted_features(self) -> None:
        """Keep the features that scales were fitted on, before others are told."""
        if self.fitted_features is None:
            self.fitted_features = self.item_features[self.fitted_items]

    def features_as_fitted(self) -> Tensor:
        """Give the features of all items, those that scales were fitted on as they were then."""
        if self.fitted_features is None:
            return self.item_features
        features = self.item_features.clone()
        features[self.fitted_items] = self.fitted_features
        return features

    def to_values(self) -> dict[str, Any]:
        """Give plain values and tensors, which a checkpoint can hold."""
        log = self.log
        return {
            "format": FORMAT,
            "log": {name: torch.tensor(getattr(log, name)) for name in COLUMNS},
            "sizes": [log.n_users, log.n_items, log.n_behaviours],
            "n_training": self.n_training,
            "bounds": list(self.bounds),
            "users": pack(self.users),
            "items": pack(self.items),
            "behaviours": list(self.behaviours),
            "other_fields": list(self.other_fields),
            "feature_maps": {key: found.to_values() for key, found in self.feature_maps.items()},
            "item_features": self.item_features.detach().cpu(),
            "attributes": self.attributes.to_values(),
            "shelf": self.shelf and {
                name: torch.from_numpy(getattr(self.shelf, name)) for name in STAYS
            },
            "origin": self.origin,
            "data_name": self.data_name,
            "simulated": self.simulated,
            "memories": self.memories,
            "journal_offset": self.journal_offset,
            "journal_mark": self.journal_mark,
            "keys": pack(self.keys),
            "forgotten": self.forgotten,
            "n_fitted": self.n_fitted,
            "time_zone": self.time_zone,
            "fitted_features": self.fitted_features,
            "purchase_of": self.purchase_of,
        }  # fmt: skip

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Snapshot:
        """Read what :meth:`to_values` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is nothing of the kind.
        """
        columns = {name: values["log"][name].numpy() for name in COLUMNS}
        sizes = zip(("n_users", "n_items", "n_behaviours"), values["sizes"], strict=True)
        stays = values["shelf"]
        return cls(
            EventLog.from_columns(**columns, **dict(sizes)),
            values["n_training"],
            tuple(values["bounds"]),
            Names(unpack(values["users"])),
            Names(unpack(values["items"])),
            list(values["behaviours"]),
            list(values["other_fields"]),
            {key: FeatureMap.from_values(one) for key, one in values["feature_maps"].items()},
            values["item_features"],
            Attributes.from_values(values["attributes"]),
            stays and OpenShelf(*(np.array(stays[name].numpy()) for name in STAYS)),
            values["origin"],
            values["data_name"],
            values["simulated"],
            values["memories"],
            values["journal_offset"],
            unpack(values["keys"]),
            values["forgotten"],
            values.get("n_fitted"),
            values.get("journal_mark", ""),
            _text_or_none(values.get("time_zone")),
            values.get("fitted_features"),
            values.get("purchase_of"),
        )


def _text_or_none(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no text")


COLUMNS = ("user", "item", "time", "behaviour", "purchase", "features", "inventory")
STAYS = ("item", "start", "end")


def snapshot_of(checkpoint: Mapping[str, Any], file: Any) -> Snapshot:
    """Read the snapshot of a checkpoint.

    Parameters
    ----------
    checkpoint : mapping
        From :func:`~recbole_imn.checkpoints.load_checkpoint`.
    file : path
        Named in messages.

    Raises
    ------
    CheckpointError
        If it has none, or one of another format.
    """
    values = checkpoint.get(KEY)
    if values is None:
        raise CheckpointError(f"{file} holds weights alone, {_what_to_do(checkpoint, file)}")
    try:
        if values["format"] != FORMAT:
            raise CheckpointError(
                f"{file} has a snapshot of format {values['format']}, and this recbole_imn reads "
                f"format {FORMAT}; make it anew: python -m recbole_imn snapshot {file}"
            )
        return Snapshot.from_values(values)
    except CheckpointError:
        raise
    except Exception as error:  # a file of anybody may hold anything
        reason = named_line(error)
        raise CheckpointError(f"{file} has a snapshot that cannot be read ({reason})") from error


def _what_to_do(checkpoint: Mapping[str, Any], file: Any) -> str:
    model = checkpoint["config"]["final"]["model"]
    if model in [*model_names(), *own_models.names()] and "IMNNet" not in own_models.lineage(model):
        return f"and {model} has no states; train a model of the stream, such as IMNNetPlus"
    return (
        "and cannot be used without its data; where its data set is at hand, add what is missing: "
        f"python -m recbole_imn snapshot {file}"
    )

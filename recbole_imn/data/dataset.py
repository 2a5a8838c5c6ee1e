"""One event stream a data set, with RecBole's rows on top of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction
from recbole.utils.enum_type import FeatureSource, FeatureType
from torch import Tensor

from recbole_imn.data.atomic import DataError, check_log, read_columns, read_header
from recbole_imn.data.downloads import TMALL, make_tmall
from recbole_imn.data.features import feature_columns, item_feature_matrix
from recbole_imn.data.simulated import (
    is_simulated,
    make_simulated,
    nearest_data_set,
    simulated_notice,
)
from recbole_imn.model.rows import EVENT_INDEX
from recbole_imn.model.settings import SettingsError
from recbole_imn.stream import EventStream

PURCHASE = "purchase"
PARTS = ("training", "validation", "test")
DELTAS = ("delta_user", "delta_item", "delta_purchase")


class StreamDataset(SequentialDataset):  # type: ignore[misc]  # RecBole is untyped
    """A RecBole data set whose rows are events of one :class:`EventStream`.

    Rows and histories are those of RecBole's own augmentation: a row for every event of a
    user but the first. RecBole stores a copy of the history with every row; here a row has
    the index of its event, and histories are gathered when rows are asked for.

    Extra interaction fields: ``event_index`` (int64), ``purchase`` (0 or 1) and the elapsed
    times ``delta_user``, ``delta_item``, ``delta_purchase`` (float32 seconds, 0 where there
    is no earlier event; the exact float64 values are in :attr:`stream`).

    Attributes
    ----------
    stream : EventStream
        The whole log: sorted by time, ties in file order.
    event_bounds : tuple of int
        Positions in the stream: start of training, of validation, of test, and the end.
    event_start, event_stop : int
        The events of this part of the data, the users' first events included.
    inventory : float32 [n_events, n_features]
        The columns named in ``inventory_features``: the shelf as the user saw it.
    item_features : float32 [n_items, n_features]
        The item attributes named in ``item_features``, as numbers; width 0 without any.
    """

    inter_feat: Any  # a DataFrame while loading, an Interaction of rows afterwards
    events: Interaction
    stream: EventStream
    event_bounds: tuple[int, int, int, int]
    event_start: int
    event_stop: int
    inventory: npt.NDArray[np.float32]
    item_features: Tensor
    with_histories = True

    # -- loading ---------------------------------------------------------------------------

    def _load_data(self, token: str, dataset_path: str) -> None:
        """Load atomic files; simulated data sets and ``tmall`` are made on first use."""
        folder = Path(dataset_path)
        if not folder.exists():
            if is_simulated(token):
                make_simulated(token, folder, self.logger)
            elif token == TMALL:
                make_tmall(folder, self._download_other, self.logger)
            elif self._get_download_url("url", allow_none=True) is None:
                raise DataError(
                    f"data set {token!r} not found: {folder / token}.inter does not exist"
                    f"{nearest_data_set(token, folder.parent)}; put it there or name its parent "
                    "folder with --data_path=DIR"
                )
        notice = simulated_notice(folder, token)
        if notice:
            self.logger.warning(notice)
        super()._load_data(token, dataset_path)

    def _download_other(self, name: str, folder: Path) -> None:
        """Download another data set that RecBole knows."""
        other = copy.copy(self)
        other.dataset_name, other.dataset_path = name, str(folder)
        other._download()

    def _load_inter_feat(self, token: str, dataset_path: str) -> None:
        """Load and check the log, and sort it by exact time, ties in file order."""
        super()._load_inter_feat(token, dataset_path)
        path = Path(dataset_path) / f"{token}.inter"
        needed = (self.uid_field, self.iid_field, self.time_field)
        check_log(path, read_header(path, *self._format), self.inter_feat, *needed)
        self.inter_feat = self.inter_feat.sort_values(
            self.time_field, kind="stable", ignore_index=True
        )

    def _load_feat(self, filepath: str, source: FeatureSource | str) -> pd.DataFrame | None:
        """Read an atomic file, with RecBole's bookkeeping (dataset.py, ``_load_feat``)."""
        path = Path(filepath)
        header = read_header(path, *self._format)
        load, unload = self._get_load_and_unload_col(source)
        fields = [
            field
            for field in header
            if (load is None or field in load) and (unload is None or field not in unload)
        ]
        if not fields:
            return None
        frame = read_columns(path, header, fields, *self._format)
        for field in fields:
            self._register(field, FeatureType(header[field]), source)
            if header[field].endswith("seq"):
                frame[field] = pd.Series(
                    self._split_sequences(frame[field], field), index=frame.index, dtype=object
                )
        return frame

    @property
    def _format(self) -> tuple[str, str]:
        """Separator and encoding of the atomic files."""
        return self.config["field_separator"], self.config["encoding"] or "utf-8"

    def _register(self, field: str, field_type: FeatureType, source: FeatureSource | str) -> None:
        self.field2source[field], self.field2type[field] = source, field_type
        self.field2seqlen[field] = 1
        if "float" in field_type.value:
            self.field2bucketnum[field] = 2

    def _split_sequences(self, cells: pd.Series, field: str) -> list[npt.NDArray[Any]]:
        """Split the cells of a sequence field; an empty cell is an empty sequence."""
        limit = (self.config["seq_len"] or {}).get(field)
        is_float = self.field2type[field] == FeatureType.FLOAT_SEQ
        parts = [str(cell).split(self.config["seq_separator"]) for cell in cells.fillna("")]
        kept = [[value for value in values if value][:limit] for values in parts]
        self.field2seqlen[field] = max(map(len, kept))
        return [np.array(values, dtype=np.float64 if is_float else np.str_) for values in kept]

    def _remove_duplication(self) -> None:
        """Remove duplicates as RecBole does, then restore the order of ties in the file."""
        super()._remove_duplication()
        self.inter_feat = self.inter_feat.sort_index()

    # -- stream and rows -------------------------------------------------------------------

    def _change_feat_format(self) -> None:
        """Make the stream from exact times, then tensors, then the rows."""
        log = self.inter_feat
        self.stream = self._make_stream(log)
        self._add_stream_fields(log)
        super()._change_feat_format()
        self.event_bounds = self._cut()
        self.event_start, self.event_stop = 0, len(self.stream)
        self.inventory = feature_columns(
            self, log, self._names("inventory_features"), self.event_bounds[1]
        )
        self.item_features = item_feature_matrix(
            self, self._names("item_features"), self.stream.item[: self.event_bounds[1]]
        )

    def _names(self, key: str) -> list[str]:
        """Give a setting that is a list of fields; one field may stand alone."""
        names = self.config[key] or []
        return [names] if isinstance(names, str) else list(names)

    def _make_stream(self, log: pd.DataFrame) -> EventStream:
        has_behaviour = "behavior" in log and self.field2type["behavior"] == FeatureType.TOKEN
        stream = EventStream.from_columns(
            user=log[self.uid_field].to_numpy(),
            item=log[self.iid_field].to_numpy(),
            time=log[self.time_field].to_numpy(),
            behaviour=log["behavior"].to_numpy() if has_behaviour else None,
            purchase=log[PURCHASE].to_numpy() > 0 if PURCHASE in log else None,
            n_users=self.user_num,
            n_items=self.item_num,
            n_behaviours=self.num("behavior") if has_behaviour else 1,
        )
        n_training = stream.split(self._ratios())[0]
        fields = self._names("event_features")
        return stream.with_features(feature_columns(self, log, fields, n_training))

    def _add_stream_fields(self, log: pd.DataFrame) -> None:
        """Add the event's index, purchase flag and elapsed times as interaction fields."""
        log[EVENT_INDEX] = np.arange(len(log))
        log[PURCHASE] = self.stream.purchase.astype(np.float64)
        for field in DELTAS:
            log[field] = getattr(self.stream, field)
        inter = FeatureSource.INTERACTION
        for field in (PURCHASE, *DELTAS):
            self.set_field_property(field, FeatureType.FLOAT, inter, 1)
        self.set_field_property(EVENT_INDEX, FeatureType.TOKEN, inter, 1)

    def data_augmentation(self) -> None:
        """Make a row of every event with a history; store no history."""
        self._aug_presets()
        self.events = self.inter_feat
        rows = np.flatnonzero(self.stream.history_length >= self._shortest_history)
        lengths = np.minimum(self.stream.history_length[rows], self.max_item_list_len)
        self.inter_feat = self.events[rows]
        self.inter_feat.update(
            Interaction({self.item_list_length_field: torch.from_numpy(lengths)})
        )

    @property
    def _shortest_history(self) -> int:
        """Events that a row must have in its history; built-in models need one."""
        return 0 if self.config["first_events"] and not self.with_histories else 1

    def __getitem__(self, index: Any, join: bool = True) -> Interaction:
        """Give rows, with histories gathered from the stream and features joined."""
        rows = self.inter_feat[index]
        if self.with_histories:
            rows.update(self._histories(rows[EVENT_INDEX]))
        return self.join(rows) if join else rows

    def _histories(self, events: Tensor) -> Interaction:
        """Gather list fields [n_rows, MAX_ITEM_LIST_LENGTH], oldest first, padded with 0."""
        single = events.ndim == 0
        indices, _ = self.stream.histories(events.reshape(-1).numpy(), self.max_item_list_len)
        gather = torch.from_numpy(np.maximum(indices, 0))
        padding = torch.from_numpy(indices < 0)
        lists = {}
        for field in self.events.columns:
            if field not in (self.uid_field, EVENT_INDEX):
                values = self.events[field][gather]
                mask = padding.reshape(padding.shape + (1,) * (values.ndim - 2))
                values = values.masked_fill(mask, 0)
                lists[getattr(self, f"{field}_list_field")] = values[0] if single else values
        return Interaction(lists)

    def window(self, start: int, stop: int) -> Interaction:
        """Give the events ``start <= k < stop`` of the stream, first events included."""
        return self.join(self.events[start:stop])

    def sort(self, by: str | list[str], ascending: bool | list[bool] = True) -> None:
        """Sort rows in place; by time means by position in the stream, which is exact."""
        fields = [by] if isinstance(by, str) else list(by)
        exact = [EVENT_INDEX if field == self.time_field else field for field in fields]
        if EVENT_INDEX not in exact:
            exact.append(EVENT_INDEX)
            if isinstance(ascending, list):
                ascending = [*ascending, True]
        super().sort(by=exact, ascending=ascending)

    # -- parts -----------------------------------------------------------------------------

    def build(self) -> list[StreamDataset]:
        """Split into training, validation and test rows.

        Raises
        ------
        DataError
            If a part of a global time split has no rows, or the log has fewer items than
            are to be ranked.
        SettingsError
            If the model needs item attributes that are not loaded.
        """
        if not self.has_global_time_split:
            self._refuse_other_split()
            self._check_items()
            parts: list[StreamDataset] = super().build()
            return parts
        self._change_feat_format()
        self._drop_unused_col()
        events = self.inter_feat[EVENT_INDEX].numpy()
        spans = list(zip(self.event_bounds[:-1], self.event_bounds[1:], strict=True))
        parts = [self._part(events, *span) for span in spans]
        for part, name in zip(parts, PARTS, strict=True):
            if len(part) == 0:
                raise DataError(
                    f"data set {self.dataset_name!r}: the {name} part has no rows with a history; "
                    f"the log has {len(self.stream)} events, split {self._ratios()}"
                )
        self._check_items()
        rows = ", ".join(f"{len(part)} {name}" for part, name in zip(parts, PARTS, strict=True))
        self.logger.info(f"Rows of {self.dataset_name}: {rows}")
        return parts

    def _check_items(self) -> None:
        """Refuse what RecBole meets with a bare error in training, or after it."""
        longest, n_items = max(self.config["topk"]), self.item_num - 1
        if longest > n_items:
            raise DataError(
                f"data set {self.dataset_name!r} has {n_items} items, but topk asks for {longest}; "
                f"set for example --topk=[{n_items}] --valid_metric=NDCG@{n_items}"
            )
        columns = [] if self.item_feat is None else self.item_feat.columns
        attributes = sorted(set(columns) - {self.iid_field})
        for name in self.config["selected_features"] or []:
            if name not in attributes:
                known = ", ".join(attributes) or "none; name some in load_col"
                raise SettingsError(
                    f"selected_features of {self.config['model']} names {name!r}, which "
                    f"{self.dataset_name} does not have; set it in a file for --config_files "
                    f"(item attributes: {known})"
                )

    def _part(self, row_events: npt.NDArray[np.int64], start: int, stop: int) -> StreamDataset:
        first, last = np.searchsorted(row_events, [start, stop])
        part: StreamDataset = copy.copy(self)
        part.inter_feat = self.inter_feat[int(first) : int(last)]
        part.event_start, part.event_stop = start, stop
        return part

    @property
    def has_global_time_split(self) -> bool:
        """Whether the evaluation is one cut in time for all users."""
        return is_global_time_split(self.config["eval_args"])

    def _refuse_other_split(self) -> None:
        """Let other splits pass; models of the stream refuse them."""

    def _ratios(self) -> list[float]:
        split = self.config["eval_args"]["split"]
        return list(split["RS"]) if "RS" in split else [0.8, 0.1, 0.1]

    def _cut(self) -> tuple[int, int, int, int]:
        validation, test = self.stream.split(self._ratios())
        return 0, validation, test, len(self.stream)

    def inter_matrix(self, form: str = "coo", value_field: str | None = None) -> Any:
        """Give the sparse user-item matrix of this part's events, first events included."""
        events = self.events[self.event_start : self.event_stop]
        return self._create_sparse_matrix(events, self.uid_field, self.iid_field, form, value_field)


def is_global_time_split(eval_args: Mapping[str, Any]) -> bool:
    """Whether RecBole's ``eval_args`` ask for one cut in time for all users."""
    grouped = eval_args["group_by"] not in (None, "none", "None")
    return eval_args["order"] == "TO" and "RS" in eval_args["split"] and not grouped


class IMNNetDataset(StreamDataset):
    """The stream for models that replay it: no histories, and one cut in time for all."""

    with_histories = False

    def _refuse_other_split(self) -> None:
        raise DataError(
            f"{self.config['model']} learns from one global stream and needs eval_args with order: "
            f"TO, group_by: none and split: {{RS: [...]}}, not {self.config['eval_args']}"
        )

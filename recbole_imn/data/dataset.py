"""One event log a data set, with RecBole's rows on top of it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from recbole.data.interaction import Interaction
from recbole.utils.enum_type import FeatureSource, FeatureType
from torch import Tensor

from recbole_imn.data.catalogue import check_items
from recbole_imn.data.event_rows import EventRows, Field, Places, Sources, integers, numbers, stored
from recbole_imn.data.excerpt import evenly, spread
from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.data.features import event_features, item_features
from recbole_imn.data.scaling import PARTS, PURCHASE, ScaledDataset
from recbole_imn.data.searched import require_unseen_test
from recbole_imn.data.stream_settings import columns_setting
from recbole_imn.errors import DataError
from recbole_imn.log import NO_EVENT, EventLog, Ids
from recbole_imn.model.rows import EVENT_INDEX
from recbole_imn.past import Past

# Draws the rows of a sample, whatever the seed of a run; RecBole's own by default.
SAMPLE_SEED = 2020
DELTAS = ("delta_user", "delta_item", "delta_purchase")


class StreamDataset(ScaledDataset):
    """A RecBole data set whose rows are events of one :class:`EventLog`.

    Rows and histories are those of RecBole's own augmentation: a row for every event of a
    user but the first. RecBole stores a copy of the history with every row; here a row has
    the index of its event, and histories are gathered when rows are asked for.

    Extra interaction fields: ``event_index`` (int64), ``purchase`` (0 or 1) and the elapsed
    times ``delta_user``, ``delta_item``, ``delta_purchase`` (float32 seconds, 0 where there
    is no earlier event).

    Attributes
    ----------
    log : EventLog
        All events: sorted by time, ties in file order.
    past : Past
        Of the log, all of which has happened.
    history_length : int32 [n_events]
        Number of earlier events of the same user.
    events : EventRows
        Every event of the log, the users' first ones included.
    event_bounds : tuple of int
        Positions in the stream: start of training, of validation, of test, and the end.
    event_start, event_stop : int
        The events of this part of the data, the users' first events included.
    item_features : float32 [n_items, n_features]
        The item attributes named in ``item_features``, as numbers; width 0 without any.
    feature_maps : dict of str to FeatureMap
        What was fitted on the training part for the settings ``event_features``,
        ``inventory_features`` and ``item_features``.
    """

    events: EventRows
    log: EventLog
    past: Past
    history_length: Ids
    event_bounds: tuple[int, int, int, int]
    event_start: int
    event_stop: int
    item_features: Tensor
    feature_maps: dict[str, FeatureMap]
    with_histories = True

    # -- stream and rows -------------------------------------------------------------------

    def _change_feat_format(self) -> None:
        """Make the log from exact times, then tensors, then the rows."""
        frame = self.inter_feat
        self.feature_maps = {}
        self.log = self._make_log(frame)
        self.past = Past(self.log)
        self.past.move_to(len(self.log))
        self.history_length = self.past.numbers_before(self.past.chains.user)
        inside = np.zeros(self.item_num, np.bool_)
        inside[self.log.item[self.in_training]] = True
        self.inter_feat = EventRows(self._sources(frame), np.arange(len(frame), dtype=np.int32))
        del frame
        super()._change_feat_format()
        self.event_bounds = self._cut()
        self.event_start, self.event_stop = 0, len(self.log)
        self.item_features = self._item_features(inside, "item_features")

    def _dataframe_to_interaction(self, data: Any) -> Interaction:
        """Make tensors of a frame; those of events are made when they are asked for."""
        return data if isinstance(data, EventRows) else super()._dataframe_to_interaction(data)

    def _make_log(self, log: pd.DataFrame) -> EventLog:
        unused = columns_setting(self.config, "unused_col", "inter") or set()
        log = log.drop(columns=[name for name in ("behavior", PURCHASE) if name in unused & {*log}])
        behaviour, n_behaviours = self._behaviours(log)
        return EventLog.from_columns(
            user=log[self.uid_field].to_numpy(),
            item=log[self.iid_field].to_numpy(),
            time=log[self.time_field].to_numpy(),
            behaviour=behaviour,
            purchase=log[PURCHASE].to_numpy() > 0 if PURCHASE in log else None,
            features=self._event_features(log, "event_features"),
            inventory=self._event_features(log, "inventory_features"),
            n_users=self.user_num,
            n_items=self.item_num,
            n_behaviours=n_behaviours,
        )

    def _sources(self, frame: pd.DataFrame) -> Sources:
        """Say what the fields of events are: columns of the log, of the frame, and what is new.

        New are the event's index, its purchase flag and its elapsed times.
        """
        log, chains = self.log, self.past.chains
        of_log: dict[str, Field] = {
            self.uid_field: integers(log.user),
            self.iid_field: integers(log.item),
            self.time_field: numbers(log.time),
            "behavior": integers(log.behaviour),
            PURCHASE: numbers(log.purchase),
        }
        others = self._dataframe_to_interaction(frame[[f for f in frame if f not in of_log]])
        sources = {
            field: of_log[field] if field in of_log else stored(others[field])
            for field in map(str, frame)
        }
        sources[EVENT_INDEX] = integers(np.arange(len(log), dtype=np.int32))
        sources[PURCHASE] = of_log[PURCHASE]
        for field, chain in zip(DELTAS, (chains.user, chains.item, chains.purchase), strict=True):
            sources[field] = self._elapsed(chain)
        inter = FeatureSource.INTERACTION
        for field in (PURCHASE, *DELTAS):
            self.set_field_property(field, FeatureType.FLOAT, inter, 1)
        self.set_field_property(EVENT_INDEX, FeatureType.TOKEN, inter, 1)
        return sources

    def _elapsed(self, chain: Ids) -> Field:
        """Give the field of seconds since the event that a chain leads to."""

        def at(places: Places) -> Tensor:
            events = np.asarray(places, np.int64)
            seconds, _ = self.past.since_previous(events.reshape(-1), chain)
            return torch.from_numpy(seconds.astype(np.float32)).reshape(events.shape)

        return at

    def new_past(self) -> Past:
        """Give the past of the log before its first event."""
        return self.past.beginning()

    def _event_features(self, log: pd.DataFrame, key: str) -> npt.NDArray[np.float32]:
        self.feature_maps[key], features = event_features(self, log, key)
        return features

    def _item_features(self, inside: npt.NDArray[np.bool_], key: str) -> Tensor:
        self.feature_maps[key], features = item_features(self, inside, key)
        return features

    def _behaviours(self, log: pd.DataFrame) -> tuple[npt.NDArray[np.int64] | None, int]:
        """Give the kind of each event, and how many there are."""
        if "behavior" not in log:
            return None, 1
        return log["behavior"].to_numpy(), self.num("behavior")

    def data_augmentation(self) -> None:
        """Make a row of every event with a history; store no history."""
        self._aug_presets()
        self.events = self.inter_feat
        rows = np.flatnonzero(self.history_length >= self._shortest_history)
        sources, longest = self.events.interaction.sources, self.max_item_list_len
        lengths = {self.item_list_length_field: integers(self.history_length, longest)}
        self.inter_feat = EventRows({**sources, **lengths}, rows.astype(np.int32))

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

    def histories_before(self, events: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.int64]:
        """Give the latest earlier events of each event's user, oldest first.

        Parameters
        ----------
        events : int64 [n_rows]
        width : int

        Returns
        -------
        int64 [n_rows, width]
            Left-aligned; -1 is padding.
        """
        newest_first = self.past.histories(self.past.chains.user[events], width)
        columns = np.minimum(self.history_length[events], width)[:, None] - 1 - np.arange(width)
        found = np.take_along_axis(newest_first, np.maximum(columns, 0), axis=1)
        oldest_first: npt.NDArray[np.int64] = np.where(columns >= 0, found, NO_EVENT)
        return oldest_first

    def _histories(self, events: Tensor) -> Interaction:
        """Gather list fields [n_rows, MAX_ITEM_LIST_LENGTH], oldest first, padded with 0."""
        single = events.ndim == 0
        indices = self.histories_before(events.reshape(-1).numpy(), self.max_item_list_len)
        found, padding = np.maximum(indices, 0), torch.from_numpy(indices < 0)
        lists = {}
        for field, source in self.events.interaction.sources.items():
            if field not in (self.uid_field, EVENT_INDEX):
                values = source(found)
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
            If the model needs item attributes that are not loaded, or settings were chosen on
            rows of the test part.
        """
        if not self.has_global_time_split:
            self._refuse_other_split()
            check_items(self)
            parts: list[StreamDataset] = super().build()
            self._sample_evaluation(parts)
            self._check_parts(parts)
            require_unseen_test(self, parts[2])
            return parts
        self._change_feat_format()
        self._drop_unused_col()
        events = self.inter_feat[EVENT_INDEX].numpy()
        spans = list(zip(self.event_bounds[:-1], self.event_bounds[1:], strict=True))
        parts = [self._part(events, *span) for span in spans]
        self._sample_validation(parts)
        self._sample_evaluation(parts)
        self._check_parts(parts)
        require_unseen_test(self, parts[2])
        check_items(self)
        rows = ", ".join(f"{len(part)} {name}" for part, name in zip(parts, PARTS, strict=True))
        self.logger.info(f"Rows of {self.dataset_name}: {rows}")
        return parts

    def _sample_validation(self, parts: list[StreamDataset]) -> None:
        """Keep some of the validation rows of an excerpt, which has no others to test."""
        if not self.excerpt:
            return
        at_most = self.config["tuning_rows"]
        if at_most:
            part = parts[1]
            part.inter_feat = part.inter_feat.part(evenly(len(part), at_most))
        # RecBole wants a third part; the excerpt's log ends here.
        parts[2] = parts[1]

    def _sample_evaluation(self, parts: list[StreamDataset]) -> None:
        """Keep some rows of validation and test, where ``eval_rows`` asks for a sample.

        The same ones whatever the seed: seeds are compared, and averaged, row by row.
        """
        at_most = self.config["eval_rows"]
        if not at_most or self.excerpt:
            return
        for number, part in enumerate(parts[1:]):
            rows = spread(len(part), at_most, SAMPLE_SEED + number)
            feat = part.inter_feat
            # RecBole's own splits give rows that are made already.
            part.inter_feat = feat.part(rows) if isinstance(feat, EventRows) else feat[rows]

    def _check_parts(self, parts: list[StreamDataset]) -> None:
        """Refuse parts without rows: nothing to learn from, to choose by, or to test."""
        split = self.config["eval_args"]["split"]
        for part, name in zip(parts, PARTS, strict=True):
            if len(part) == 0:
                raise DataError(
                    f"data set {self.dataset_name!r}: the {name} part has no rows with a history; "
                    f"the log has {len(self.log)} events, split {split}"
                )

    def _part(self, row_events: npt.NDArray[np.int64], start: int, stop: int) -> StreamDataset:
        first, last = np.searchsorted(row_events, [start, stop])
        part: StreamDataset = copy.copy(self)
        part.inter_feat = self.inter_feat.part(slice(int(first), int(last)))
        part.event_start, part.event_stop = start, stop
        return part

    def _refuse_other_split(self) -> None:
        """Let other splits pass; models of the stream refuse them."""

    def _cut(self) -> tuple[int, int, int, int]:
        if self.excerpt:
            return self.excerpt.bounds
        validation, test = self.log.split(self.ratios(), self.cuts_between_times)
        return 0, validation, test, len(self.log)

    def inter_matrix(self, form: str = "coo", value_field: str | None = None) -> Any:
        """Give the sparse user-item matrix of this part's events, first events included."""
        events = self.events.part(slice(self.event_start, self.event_stop))
        return self._create_sparse_matrix(events, self.uid_field, self.iid_field, form, value_field)


class IMNNetDataset(StreamDataset):
    """The stream for models that replay it: no histories, and one cut in time for all."""

    with_histories = False

    def _refuse_other_split(self) -> None:
        raise DataError(
            f"{self.config['model']} learns from one global stream and needs eval_args with order: "
            f"TO, group_by: none and split: {{RS: [...]}}, not {self.config['eval_args']}"
        )

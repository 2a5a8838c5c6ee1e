"""RecBole's filters of a log, which say how much they leave out and stop at nothing left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from recbole.utils.enum_type import FeatureType

from recbole_imn.errors import DataError, SettingsError
from recbole_imn.intervals import Interval, read_intervals
from recbole_imn.log import Flags

# What RecBole's intervals of numbers are without being set.
ANY_NUMBER = [("[", 0.0, float("inf"), ")")]


# Settings that leave events out, with what they are without being set.
FILTERS: dict[str, tuple[Any, ...]] = {
    "user_share": (None, 1.0),
    "rm_dup_inter": (None,),
    "val_interval": (None, {}),
    "filter_inter_by_user_or_item": (None, False),
    "user_inter_num_interval": (None, "[0,inf)"),
    "item_inter_num_interval": (None, "[0,inf)"),
}


def filters_set(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings that leave events out, of those that are set."""
    found = {key: settings[key] for key in FILTERS if key in settings}
    return {key: value for key, value in found.items() if value not in FILTERS[key]}


def what_is_left_out(settings: Mapping[str, Any]) -> str:
    """Say in a sentence that only a part of a log is used, or of its rows; nothing otherwise.

    Parameters
    ----------
    settings : mapping
        Those of a run, as plain values.
    """
    named = ", ".join(f"{key}: {value}" for key, value in filters_set(settings).items())
    events = f"Only a part of the events of the files is used ({named})." if named else ""
    at_most = settings.get("eval_rows")
    rows = f"Of validation and test at most {at_most:,} rows are ranked." if at_most else ""
    return f"{events} {rows}".strip()


class Filtered:
    """The filters of a RecBole data set (dataset.py, ``_data_filtering``), made to speak."""

    # What is used of RecBole's Dataset.
    config: Any
    logger: Any
    dataset_name: str
    uid_field: str
    iid_field: str
    time_field: str
    inter_feat: Any
    user_feat: Any
    item_feat: Any
    feat_name_list: list[str]
    field2type: dict[str, FeatureType]

    def _data_filtering(self) -> None:
        """Filter, and say how many events are left.

        Raises
        ------
        DataError
            If no events are left, or no user with two.
        """
        before = len(self.inter_feat)
        self._keep_some_users()
        super()._data_filtering()  # type: ignore[misc]  # of RecBole's Dataset
        left = len(self.inter_feat)
        if left < before:
            self.logger.info(f"{self._filters()} leave {left} of {before} events")
        if not self.inter_feat[self.uid_field].duplicated().any():
            raise DataError(
                f"{self.dataset_name}: {self._filters()} leave no user with two events or more "
                f"({left} of {before} events), so that there is no next item to predict"
            )

    def _keep_some_users(self) -> None:
        """Keep the events of a share of the users, if ``user_share`` asks for one."""
        share = self.config["user_share"]
        if share is not None and share < 1:
            column = self.inter_feat[self.uid_field]
            codes, tokens = pd.factorize(column)
            chosen = np.array([is_chosen(str(token), share) for token in tokens], np.bool_)
            self._keep_events(pd.Series(chosen[codes], column.index))

    def _filters(self) -> str:
        """Name the filters that are set."""
        named = filters_set({key: self.config[key] for key in FILTERS})
        return "the settings " + ", ".join(f"{key}: {value}" for key, value in named.items())

    def _reset_index(self) -> None:
        """Count rows from 0 again (dataset.py, same name)."""
        for name in self.feat_name_list:
            frame = getattr(self, name)
            if frame.empty:
                raise DataError(
                    f"{self.dataset_name}: {self._filters()} leave nothing of "
                    f".{name.removesuffix('_feat')}"
                )
            frame.reset_index(drop=True, inplace=True)

    def _remove_duplication(self) -> None:
        """Keep a user's first or last event with an item, of ties the first or last in the file.

        RecBole sorts by time once more for it, which does not keep the order of ties.
        """
        if self.config["rm_dup_inter"] is not None:
            pair = [self.uid_field, self.iid_field]
            repeated = self.inter_feat.duplicated(pair, keep=self.config["rm_dup_inter"])
            self._keep_events(~repeated)

    def _filter_by_field_value(self) -> None:
        """Keep rows by their values; events of users and items that are left out go with them."""
        owners = [(self.user_feat, self.uid_field), (self.item_feat, self.iid_field)]
        before = [set() if frame is None else set(frame[field]) for frame, field in owners]
        for field, interval in (self.config["val_interval"] or {}).items():
            self._check_interval(field, interval)
        super()._filter_by_field_value()  # type: ignore[misc]  # of RecBole's Dataset
        for (frame, field), ids in zip(owners, before, strict=True):
            if frame is not None and len(frame) < len(ids):
                gone = ids - set(frame[field])
                self._keep_events(~self.inter_feat[field].isin(gone))

    def _check_interval(self, field: str, interval: Any) -> None:
        """Refuse an entry of val_interval that RecBole would stumble over."""
        kind = self.field2type.get(field)
        if kind is None:
            raise SettingsError(
                f"val_interval names {field!r}, which is no column that was loaded (loaded: "
                f"{', '.join(self.field2type)}); name it in load_col as well"
            )
        if kind.value.endswith("_seq"):
            raise SettingsError(f"val_interval names {field!r}, of type {kind.value}: no one value")
        if kind == FeatureType.TOKEN and not isinstance(interval, list):
            raise SettingsError(
                f"val_interval for {field!r} is {interval!r}; for a token, give a list of values"
            )
        if kind != FeatureType.TOKEN:
            try:
                self._parse_intervals_str(interval)
            except SettingsError as error:
                raise SettingsError(f"val_interval for {field!r}: {error}") from error

    def _filter_by_inter_num(self) -> None:
        """Keep users and items whose number of events lies in an interval, until all do.

        As RecBole does (dataset.py, same name), which counts rows as objects.
        """
        keys = {
            self.uid_field: "user_inter_num_interval",
            self.iid_field: "item_inter_num_interval",
        }
        intervals = {
            field: self._parse_intervals_str(self.config[key]) or ANY_NUMBER
            for field, key in keys.items()
        }
        if all(allowed == ANY_NUMBER for allowed in intervals.values()):
            return
        sides = [_Side(self.inter_feat[field], allowed) for field, allowed in intervals.items()]
        kept, n_before = np.ones(len(self.inter_feat), np.bool_), -1
        while n_before != (n_left := int(kept.sum())):
            n_before = n_left
            refused = [side.refused(kept) for side in sides]
            kept &= ~(refused[0] | refused[1])
        self._keep_events(pd.Series(kept, self.inter_feat.index))
        for side, name in zip(sides, ("user_feat", "item_feat"), strict=True):
            frame = getattr(self, name)
            if frame is not None:
                setattr(self, name, side.described(frame, kept))

    def _parse_intervals_str(self, intervals: Any) -> list[Interval] | None:
        """Read intervals such as ``[3,inf)`` (dataset.py, same name).

        Raises
        ------
        SettingsError
            For what RecBole warns of and ignores, or meets with a bare error.
        """
        if intervals is None:
            return None
        return read_intervals(str(intervals))

    def _filter_inter_by_user_or_item(self) -> None:
        """Say which events have no attributes of their user or item; drop them if asked to."""
        drop = self.config["filter_inter_by_user_or_item"] is True
        known = pd.Series(True, index=self.inter_feat.index)
        for kind, field in (("user", self.uid_field), ("item", self.iid_field)):
            frame = getattr(self, f"{kind}_feat")
            if frame is None:
                continue
            listed = self.inter_feat[field].isin(frame[field])
            if not listed.all():
                first = self.inter_feat[field][~listed].iloc[0]
                what = "left out, as filter_inter_by_user_or_item says" if drop else "kept"
                self.logger.warning(
                    f"{int((~listed).sum())} of {len(listed)} events have {kind}s that "
                    f"{self.dataset_name}.{kind} does not list, such as {first!r}; they are {what}"
                )
            known &= listed
        if drop:
            self._keep_events(known)

    def _keep_events(self, kept: pd.Series[bool]) -> None:
        # A copy: pandas 2 warns of changes to what may be a view.
        self.inter_feat = self.inter_feat[kept].copy()


class _Side:
    """The users or the items of a log, of which some have too few or too many events.

    Parameters
    ----------
    column : Series
        Their tokens, one an event.
    intervals : list of tuple
        Numbers of events that are allowed.
    """

    def __init__(self, column: pd.Series[Any], intervals: list[Interval]) -> None:
        self.field, self.intervals = column.name, intervals
        self.codes, self.tokens = pd.factorize(column)
        self.is_out = np.zeros(len(self.tokens), np.bool_)

    def refused(self, kept: Flags) -> Flags:
        """Give the events of those with other numbers among the kept events, now or before."""
        numbers = np.bincount(self.codes[kept], minlength=len(self.tokens))
        self.is_out |= (numbers > 0) & ~self._inside(numbers)
        return self.is_out[self.codes]

    def _inside(self, numbers: npt.NDArray[np.int64]) -> Flags:
        inside = np.zeros(len(numbers), np.bool_)
        for left, low, high, right in self.intervals:
            above = numbers >= low if left == "[" else numbers > low
            below = numbers <= high if right == "]" else numbers < high
            inside |= above & below
        return inside

    def described(self, frame: pd.DataFrame, kept: Flags) -> pd.DataFrame:
        """Leave out the attributes of those that are out, and of those that have no events."""
        is_out = frame[self.field].isin(self.tokens[self.is_out])
        if self.intervals[0][1] > 0:
            present = np.bincount(self.codes[kept], minlength=len(self.tokens)) > 0
            is_out |= ~frame[self.field].isin(self.tokens[present])
        return frame[~is_out].copy()


def is_chosen(user: str, share: float) -> bool:
    """Say whether a user belongs to a sample of a share of all.

    It depends on the id alone: samples are the same in every run, and smaller ones lie in larger
    ones.
    """
    digest = hashlib.blake2b(user.encode(), digest_size=8, person=b"user_share").digest()
    return int.from_bytes(digest, "big") < share * 2**64

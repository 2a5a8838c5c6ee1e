"""What is filled in, scaled and counted from the training part of a log, and nothing later.

RecBole fills empty cells with means, scales by extremes and numbers categories over whole
files. Then a new listing, or a changed test event, would move training and all earlier scores.
What may still change when users or items are added is the size of the tables of ids, and with
it what is drawn at random; ids of what was there before stay.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction
from recbole.utils.enum_type import FeatureType

from recbole_imn.data.buckets import Buckets
from recbole_imn.data.components import Components
from recbole_imn.data.excerpt import Excerpt
from recbole_imn.data.loading import AtomicDataset
from recbole_imn.data.preparation import Preparation, padded, to_unit
from recbole_imn.data.stays import STAYS
from recbole_imn.data.stream_settings import reduced_fields
from recbole_imn.errors import SettingsError
from recbole_imn.log import Flags, Floats, split_positions, time_positions
from recbole_imn.log.grouping import place_within_group
from recbole_imn.model.rows import EVENT_INDEX

PURCHASE = "purchase"
PARTS = ("training", "validation", "test")
# Columns in which numbers have a meaning of their own, beside the time.
UNSCALED = (PURCHASE, *STAYS)


class ScaledDataset(AtomicDataset):
    """An atomic data set whose statistics are those of its training part.

    Attributes
    ----------
    in_training : bool [n_events]
        Whether an event of the log, in order of time, belongs to the training part.
    preparations : dict of str to Preparation
        What was done to the numbers of each field, fitted on the training part.
    excerpt : Excerpt or None
        What was kept of the log, where ``tuning_events`` asks for a part of it.
    """

    excerpt: Excerpt | None = None
    in_training: Flags
    preparations: dict[str, Preparation]

    # -- the training part -----------------------------------------------------------------

    def _remap_ID_all(self) -> None:
        """Give tokens ids by their first appearance, those of the training part first."""
        self._keep_excerpt()
        self.in_training = self._training_events()
        for name in ("user_feat", "item_feat"):
            frame = getattr(self, name)
            if frame is not None:
                order = np.argsort(~self._in_training_part(name), kind="stable")
                setattr(self, name, frame.iloc[order].reset_index(drop=True))
        super()._remap_ID_all()
        for field in self._rest_fields:
            self._forget_new_tokens(field)

    def _forget_new_tokens(self, field: str) -> None:
        """Make what the training part never has unknown: there is nothing to learn about it."""
        frame, inside = self._frame_of(field)
        last = int(_flat(frame[field][inside]).max(initial=0))
        tokens = self.field2id_token[field]
        if last + 1 == len(tokens):
            return
        new = _flat(frame[field]) > last
        self.logger.info(
            f"{field}: {len(tokens) - last - 1} values are new after training, such as "
            f"{str(tokens[last + 1])!r}; they count as unknown, {int(new.sum())} times"
        )
        self.field2id_token[field] = tokens[: last + 1]
        self.field2token_id[field] = {str(token): i for i, token in enumerate(tokens[: last + 1])}
        known = _mapped(frame[field], lambda ids: ids[ids <= last])
        if frame[field].dtype != object:
            known = frame[field].where(frame[field] <= last, 0)
        frame[field] = known

    def _keep_excerpt(self) -> None:
        """Leave out all but the latest training events and the validation part, if asked to.

        Raises
        ------
        SettingsError
            If the parts are not cut in time.
        """
        n_training = self.config["tuning_events"]
        if not n_training:
            return
        if not self.has_global_time_split:
            raise SettingsError(
                f"tuning_events is {n_training}, but the latest training events are known only "
                f"with one cut in time for all users, not with eval_args {self.config['eval_args']}"
            )
        self.excerpt = Excerpt.latest(n_training, *self._part_starts())
        kept = slice(self.excerpt.start, self.excerpt.stop)
        self.inter_feat = self.inter_feat.iloc[kept].reset_index(drop=True)

    def _training_events(self) -> Flags:
        """Say which events are training rows, or in the histories of such rows only."""
        n_events = len(self.inter_feat)
        if self.has_global_time_split:
            return np.arange(n_events) < self._training_length()
        users = pd.factorize(self.inter_feat[self.uid_field])[0] + 1
        first = place_within_group(users, np.argsort(users, kind="stable")) == 0
        rows = Interaction(
            {
                self.uid_field: torch.from_numpy(users),
                self.time_field: torch.from_numpy(
                    self.inter_feat[self.time_field].to_numpy(copy=True)
                ).float(),
                EVENT_INDEX: torch.arange(n_events),
            }
        )
        # RecBole cuts a data set that has rows already and is changed by nothing.
        probe = copy.copy(self)
        probe.inter_feat = rows[np.flatnonzero(~first)]
        for step in ("_change_feat_format", "_drop_unused_col"):
            setattr(probe, step, _nothing)
        training = SequentialDataset.build(probe)[0].inter_feat[EVENT_INDEX].numpy()
        inside: Flags = first
        inside[training] = True
        return inside

    def _training_length(self) -> int:
        """Count the events before the validation part, with one cut in time for all users."""
        if self.excerpt:
            return self.excerpt.bounds[1]
        return self._part_starts()[0]

    def _part_starts(self) -> tuple[int, int]:
        """Give where validation and test begin in the log as it is."""
        if self.cuts_between_times:
            times = self.inter_feat[self.time_field].to_numpy(np.float64)
            validation, test = time_positions(times, self.ratios())
        else:
            validation, test = split_positions(len(self.inter_feat), self.ratios())
        return validation, test

    def _in_training_part(self, name: str) -> Flags:
        """Say which rows of a frame the training part has, bool [n_rows]."""
        frame, log = getattr(self, name), self.inter_feat
        if name == "inter_feat":
            return self.in_training
        if name not in ("user_feat", "item_feat"):
            return np.ones(len(frame), np.bool_)
        field = self.iid_field if name == "item_feat" else self.uid_field
        inside: Flags = frame[field].isin(log[field][self.in_training].unique()).to_numpy()
        return inside

    @property
    def has_global_time_split(self) -> bool:
        """Whether the evaluation is one cut in time for all users."""
        return is_global_time_split(self.config["eval_args"])

    @property
    def cuts_between_times(self) -> bool:
        """Whether parts begin at a quantile of times, not at a number of events."""
        return bool(self.config["split_by"] == "times")

    def ratios(self) -> list[float]:
        """Give the sizes of the three parts."""
        return list(self.config["eval_args"]["split"].get("RS", [0.8, 0.1, 0.1]))

    # -- empty cells -----------------------------------------------------------------------

    def _fill_nan(self) -> None:
        """Fill empty numbers with the mean of the training part; 0 if it has none.

        Tokens and sequences as in RecBole (dataset.py, same name).
        """
        self.preparations, wanted = {}, self._feature_fields()
        reduced = reduced_fields(self.config, self.field2type, self.unscaled)
        for name in self.feat_name_list:
            frame, inside = getattr(self, name), self._in_training_part(name)
            for field in frame:
                kind = self.field2type[field]
                is_empty = kind == FeatureType.FLOAT and frame[field].isna().any()
                if is_empty or (kind == FeatureType.FLOAT and field in wanted):
                    mean = frame[field][inside].mean()
                    self._prepared(field, empty=0.0 if np.isnan(mean) else float(mean))
                    frame[field] = frame[field].fillna(self.preparations[field].empty)
                if kind == FeatureType.FLOAT_SEQ and field in {*wanted, *reduced}:
                    self._limit_length(field, frame[field].dropna(), inside)
        super()._fill_nan()
        for field, width in reduced.items():
            self._reduce(field, width)

    def _prepared(self, field: str, **step: Any) -> None:
        """Keep what was fitted for a field."""
        known = self.preparations.get(field, Preparation())
        self.preparations[field] = replace(known, **step)

    def _feature_fields(self) -> list[str]:
        keys = ("item_features", "event_features", "inventory_features")
        return [field for key in keys for field in self.names(key)]

    def _limit_length(self, field: str, cells: pd.Series[Any], inside: Flags) -> None:
        """Read no more numbers of a sequence than the training part has, which sets its width."""
        lengths = cells.map(len)
        longest = int(lengths[inside[cells.index]].max() if inside[cells.index].any() else 0)
        n_longer = int((lengths > longest).sum())
        if n_longer:
            self.logger.warning(
                f"{field}: {n_longer} rows outside the training part have more than its {longest} "
                "numbers; the rest is left out"
            )
        self.field2seqlen[field] = longest

    def _reduce(self, field: str, width: int) -> None:
        """Project sequences wider than that on principal components of the training part's."""
        longest = self.field2seqlen[field]
        if longest <= width:
            return
        frame, inside = self._frame_of(field)
        has_cell = (frame[field].map(len) > 0).to_numpy()
        vectors = padded(frame[field].to_numpy()[has_cell], longest)
        components = Components.fit(vectors[inside[has_cell]], width)
        rows = iter(components(vectors))
        frame[field] = pd.Series(
            [next(rows) if has else np.empty(0) for has in has_cell], frame.index, dtype=object
        )
        self.field2seqlen[field] = len(components.axes)
        self._prepared(field, components=components)
        self.logger.info(
            f"{field}: {longest} numbers are reduced to {len(components.axes)} components of the "
            f"{int(inside[has_cell].sum())} rows of the training part"
        )

    # -- scaling that is asked for ---------------------------------------------------------

    def _normalize(self) -> None:
        """Scale the fields that the settings name to 0..1 over the training part.

        Later values may lie outside. Times and flags of the stream stay as they are.
        (dataset.py, same name.)
        """
        key = "normalize_all" if self.config["normalize_all"] else "normalize_field"
        named = self.float_like_fields if key == "normalize_all" else self.names(key)
        for field in self._scalable(named, key):
            frame, inside = self._frame_of(field)
            known = _flat(frame[field][inside])
            if len(known):
                low, high = float(known.min()), float(known.max())
                frame[field] = _mapped(frame[field], lambda x, a=low, b=high: to_unit(x, a, b))
                self._prepared(field, bounds=(low, high))

    def _discretization(self) -> None:
        """Cut the fields that the settings name into buckets of the training part's range.

        Values beyond it go to the outermost buckets. A numerical feature becomes a pair of
        a value and a bucket, as RecBole's embeddings want it (dataset.py, same name).
        """
        wanted = self.config["discretization"] or {}
        numerical = self.config["numerical_features"] or []
        for field in wanted:
            if field not in numerical:
                raise SettingsError(
                    f"discretization names {field!r}, which numerical_features does not name"
                )
        for field in self._scalable(numerical, "numerical_features"):
            frame, inside = self._frame_of(field)
            column = frame[field]
            if field in wanted:
                buckets = Buckets(field, wanted[field], _flat(column[inside]))
                self.field2bucketnum[field] = buckets.number
                self._prepared(field, buckets=buckets)
                pairs = [(np.ones_like(x), buckets(x)) for x in map(np.asarray, column)]
            else:
                pairs = [(x, np.ones_like(x)) for x in map(np.asarray, column)]
            if self.field2type[field] == FeatureType.FLOAT:
                frame[field] = [[float(one), float(other)] for one, other in pairs]
            else:
                frame[field] = pd.Series(pairs, index=frame.index, dtype=object)

    @property
    def unscaled(self) -> tuple[str, ...]:
        """Fields that the stream needs as they are."""
        return (self.time_field, *UNSCALED)

    def _scalable(self, fields: list[str], key: str) -> list[str]:
        """Leave out fields that must not be scaled, and say so."""
        kept = []
        for field in fields:
            if field not in self.field2type:
                raise SettingsError(
                    f"{key} names {field!r}, which is no column that was loaded; name it in "
                    "load_col as well"
                )
            kind, source = self.field2type[field].value, self.field2source[field]
            is_feature = key != "numerical_features" or field in self.float_like_fields
            if "float" not in kind or not is_feature:
                reason = f"of .{source} alone" if "float" in kind else f"no number but {kind}"
                raise SettingsError(f"{key} names {field!r}, which is {reason}")
            stays = field in self.unscaled
            if stays and key == "numerical_features" and field in self.seq_fields:
                raise SettingsError(f"{key} names {field!r}, which holds times of the stream")
            if stays:
                self.logger.warning(f"{key}: {field} stays as it is, the stream needs it")
            else:
                kept.append(field)
        return kept

    def _frame_of(self, field: str) -> tuple[Any, Flags]:
        """Give the frame that a field is in, and which of its rows are training."""
        source = self.field2source[field]
        name = f"{source if isinstance(source, str) else source.value}_feat"
        return getattr(self, name), self._in_training_part(name)


def is_global_time_split(eval_args: Any) -> bool:
    """Whether RecBole's ``eval_args`` ask for one cut in time for all users."""
    grouped = eval_args["group_by"] not in (None, "none", "None")
    return eval_args["order"] == "TO" and "RS" in eval_args["split"] and not grouped


def _nothing() -> None:
    """Do nothing."""


def _flat(column: Any) -> Floats:
    """Give the numbers of a column, or of its sequences, in one array."""
    if column.dtype != object:
        return np.asarray(column, np.float64)
    return np.concatenate([np.empty(0), *column])


def _mapped(column: Any, function: Any) -> Any:
    """Apply a function to a column of numbers, or to each of its sequences."""
    if column.dtype != object:
        return function(column)
    return pd.Series([function(values) for values in column], index=column.index, dtype=object)

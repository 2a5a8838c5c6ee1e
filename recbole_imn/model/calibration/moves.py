"""The changes of proportions that a search tries, one coordinate at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from recbole_imn.model.calibration.calibration import Proportions, Slots
from recbole_imn.model.calibration.rows import SearchedRows

# Smaller changes come first: of equally good ones the first is taken.
STEPS = tuple(
    sign * step for step in (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16) for sign in (1, -1)
)
FACTORS = (1.1, 0.9, 1.25, 0.8, 1.5, 0.67, 2.0, 0.5)
SLOPES = (0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 4.0, -4.0, 8.0, 16.0)
# A slope at which no difference of log weights changes the order of a source's slots, while
# float32 still tells them apart.
NEWEST_FIRST = 1000.0
# Further than log scores lie apart.
FAR = 64.0

Coordinate = Callable[[Proportions], list[Proportions]]


def coordinates(rows: SearchedRows, slots: Slots, by_recency: Sequence[bool]) -> list[Coordinate]:
    """Give functions that tell the changes of each coordinate, smaller ones first.

    Parameters
    ----------
    rows : SearchedRows
        Those that the search looks at.
    slots : Slots
    by_recency : sequence of bool
        Of each source.
    """
    n, means = len(by_recency), _mean_weights(rows, slots, len(by_recency))
    given: list[Coordinate] = [partial(_lifts, range(n))]
    for source in range(n):
        given += [partial(_lifts, [source]), partial(_scales, source, means[source])]
    if any(by_recency):
        # What the newest slot keeps, the second one, or the oldest: an offset gives it back.
        oldest = [slots.age[slots.source == q].max(initial=0.0) for q in range(n)]
        second = [min(age, np.log(2)) for age in oldest]
        given += [partial(_slopes, kept) for kept in ([0.0] * n, second, oldest)]
        given.append(partial(_newest_first, by_recency, oldest, _far(rows)))
    return given


def _lifts(sources: Iterable[int], now: Proportions) -> list[Proportions]:
    """Lift the log weights of some sources."""
    return [
        replace(now, offset=_changed(now.offset, dict.fromkeys(sources, step))) for step in STEPS
    ]


def _scales(source: int, mean: float, now: Proportions) -> list[Proportions]:
    """Spread the log weights of a source about their mean."""
    scale = now.scale[source]
    return [
        Proportions(
            _changed(now.scale, {source: scale * factor - scale}),
            _changed(now.offset, {source: (scale - scale * factor) * mean}),
            now.recency,
        )
        for factor in FACTORS
    ]


def _slopes(given_back: Sequence[float], now: Proportions) -> list[Proportions]:
    """Let recency count more or less; each source's offset gives back a share of the slope."""
    steps = [step for step in SLOPES if now.recency + step >= 0]
    return [_steeper(given_back, step, now) for step in steps]


def _steeper(given_back: Sequence[float], step: float, now: Proportions) -> Proportions:
    changes = {source: step * share for source, share in enumerate(given_back) if share}
    return replace(now, offset=_changed(now.offset, changes), recency=now.recency + step)


def _newest_first(
    by_recency: Sequence[bool], oldest: Sequence[float], far: float, now: Proportions
) -> list[Proportions]:
    """Rank the candidates of sources by recency above all others, newest first."""
    offset = tuple(
        far + NEWEST_FIRST * age if goes else lift
        for goes, age, lift in zip(by_recency, oldest, now.offset, strict=True)
    )
    return [Proportions(now.scale, offset, NEWEST_FIRST)]


def _changed(values: Sequence[float], changes: dict[int, float]) -> tuple[float, ...]:
    return tuple(value + changes.get(place, 0.0) for place, value in enumerate(values))


def _mean_weights(rows: SearchedRows, slots: Slots, n_sources: int) -> list[float]:
    source = slots.source[rows.slots]
    sums = np.bincount(source, rows.weights, minlength=n_sources)
    means: list[float] = (sums / np.bincount(source, minlength=n_sources).clip(1)).tolist()
    return means


def _far(rows: SearchedRows) -> float:
    """Give what lifts any candidate above all that is not lifted."""
    scores = [rows.weights, rows.scores, rows.own, rows.others[:, :1].reshape(-1)]
    values = np.concatenate(scores)
    values = values[np.isfinite(values)]
    return FAR + 2 * float(values.max(initial=0.0) - values.min(initial=0.0))

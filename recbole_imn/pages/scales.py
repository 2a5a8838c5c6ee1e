"""From values to places along an axis, with round numbers on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# Steps between round numbers, times powers of ten.
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Tick:
    """A labelled place.

    Attributes
    ----------
    place : float
        Percent of the axis.
    text : str
    """

    place: float
    text: str

    @property
    def side(self) -> str:
        """On which side of its place the label stands, so that none leaves the plot."""
        return "first" if self.place < 6 else "last" if self.place > 94 else "middle"


@dataclass(frozen=True)
class Scale:
    """A linear axis from ``low`` to ``high`` in steps of ``step``."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Give the place of a value in percent, within the axis, on two decimals."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    @property
    def ticks(self) -> list[Tick]:
        """Round numbers with their places."""
        n_steps = round((self.high - self.low) / self.step)
        values = [self.low + number * self.step for number in range(n_steps + 1)]
        return [Tick(self.at(value), self.text(value)) for value in values]

    def text(self, value: float) -> str:
        """Write a value with as many decimals as steps have."""
        decimals = next((n for n in range(12) if _is_whole(self.step * 10**n)), 12)
        # Not -0.
        return f"{value + 0.0 if round(value, decimals) else 0.0:,.{decimals}f}"


def round_scale(values: Iterable[float], intervals: int = 4, with_zero: bool = True) -> Scale:
    """Make an axis of round numbers that holds all values.

    Parameters
    ----------
    values : iterable of float
        Those that are not finite do not count.
    intervals : int
        Between round numbers, at most.
    with_zero : bool
        Whether zero must be on it.
    """
    held = [value for value in values if math.isfinite(value)]
    held += [0.0] if with_zero or not held else []
    low, high = min(held), max(held)
    if high == low:
        high = low + (abs(low) or 1.0)
    step = next(
        step for step in _steps((high - low) / intervals) if _fits(low, high, step, intervals)
    )
    return Scale(_down(low, step) * step, _up(high, step) * step, step)


def _steps(least: float) -> Iterable[float]:
    """Give round steps from the least on."""
    power = math.floor(math.log10(least))
    for exponent in (power, power + 1, power + 2):
        for step in STEPS[:-1]:
            if step * 10.0**exponent >= least * (1 - 1e-9):
                yield step * 10.0**exponent


def _fits(low: float, high: float, step: float, intervals: int) -> bool:
    return _up(high, step) - _down(low, step) <= intervals


def _down(value: float, step: float) -> int:
    return math.floor(value / step + 1e-9)


def _up(value: float, step: float) -> int:
    return math.ceil(value / step - 1e-9)


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-9 * max(abs(value), 1.0)

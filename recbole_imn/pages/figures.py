"""Plots as data: what is drawn, and where, in percent of the plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from recbole_imn.pages.looks import PLAIN, Look
from recbole_imn.pages.scales import Scale, round_scale

Point = tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """One bar with its value beside it.

    Attributes
    ----------
    name : str
    value : float
        Not negative.
    text : str
        The value as it is written.
    look : Look
    tag : str
        A mark behind the name, such as ``ours``.
    spread : float
        Drawn on either side of the bar's end.
    """

    name: str
    value: float
    text: str
    look: Look = PLAIN
    tag: str = ""
    spread: float = 0.0


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, from top to bottom in the order given.

    Attributes
    ----------
    title, caption : str
    bars : sequence of Bar
    folded : sequence of Bar
        Those of value zero, for instance, that are shown on request.
    folded_title : str
    """

    title: str
    bars: Sequence[Bar]
    caption: str = ""
    folded: Sequence[Bar] = ()
    folded_title: str = ""
    kind: ClassVar[str] = "bars"

    @property
    def widest(self) -> int:
        """Letters of the longest value."""
        return _widest(*self.bars, *self.folded)

    @cached_property
    def scale(self) -> Scale:
        """From zero to the largest bar with its spread."""
        largest = max((bar.value + bar.spread for bar in self.bars), default=0.0)
        return Scale(0.0, largest or 1.0, largest or 1.0)


@dataclass(frozen=True)
class Interval:
    """A row of a forest plot: a mean between two ends."""

    name: str
    mean: float
    low: float
    high: float
    text: str
    look: Look
    tag: str = ""


@dataclass(frozen=True)
class Forest:
    """Differences with intervals on either side of zero."""

    title: str
    rows: Sequence[Interval]
    caption: str = ""
    folded: Sequence[Interval] = ()
    folded_title: str = ""
    kind: ClassVar[str] = "forest"

    @property
    def widest(self) -> int:
        """Letters of the longest text."""
        return _widest(*self.rows, *self.folded)

    @cached_property
    def scale(self) -> Scale:
        """One that holds all intervals, the folded ones included, and zero."""
        rows = (*self.rows, *self.folded)
        return round_scale([end for row in rows for end in (row.low, row.mean, row.high)])


@dataclass(frozen=True)
class Panel:
    """One of small multiples: a curve, thin ones behind it, and a line across.

    Attributes
    ----------
    name, text : str
        Above the panel.
    curve : sequence of (float, float)
        Epochs and values.
    thin : sequence of sequences of (float, float)
        The same of single seeds.
    look : Look
    tag : str
    """

    name: str
    text: str
    curve: Sequence[Point]
    thin: Sequence[Sequence[Point]] = ()
    look: Look = PLAIN
    tag: str = ""


@dataclass(frozen=True)
class Panels:
    """Small multiples on the same axes.

    Attributes
    ----------
    title, caption : str
    panels : sequence of Panel
    across : float, optional
        A level that is drawn in every panel.
    x_name : str
    """

    title: str
    panels: Sequence[Panel]
    caption: str = ""
    across: float | None = None
    x_name: str = ""
    kind: ClassVar[str] = "panels"

    @cached_property
    def x(self) -> Scale:
        """From the first to the last of all places."""
        places = [x for panel in self.panels for x, _ in panel.curve]
        low, high = min(places, default=0.0), max(places, default=1.0)
        return Scale(low, high if high > low else low + 1, 1.0)

    @cached_property
    def y(self) -> Scale:
        """One for all panels."""
        curves = [curve for panel in self.panels for curve in (panel.curve, *panel.thin)]
        values = [y for curve in curves for _, y in curve]
        values += [] if self.across is None else [self.across]
        return round_scale(values, intervals=3, with_zero=False)

    def path(self, curve: Sequence[Point]) -> str:
        """Give a curve as a path in a box of 100 by 100, upside down as SVG has it."""
        return line_path([(self.x.at(x), self.y.at(y)) for x, y in curve])


@dataclass(frozen=True)
class Dot:
    """One system in a row of dots."""

    name: str
    value: float
    text: str
    look: Look
    is_large: bool = False


@dataclass(frozen=True)
class DotRow:
    """A kind of rows, and every system's figure of it."""

    name: str
    note: str
    text: str
    dots: Sequence[Dot]


@dataclass(frozen=True)
class Dots:
    """Rows of dots on one axis."""

    title: str
    rows: Sequence[DotRow]
    caption: str = ""
    top: float = 0.0
    kind: ClassVar[str] = "dots"

    @property
    def widest(self) -> int:
        """Letters of the longest text."""
        return _widest(*self.rows)

    @cached_property
    def scale(self) -> Scale:
        """From zero to the largest dot, or to ``top``."""
        return round_scale([self.top, *(dot.value for row in self.rows for dot in row.dots)])


@dataclass(frozen=True)
class Series:
    """A filled curve of values along an axis, such as counts a day.

    Attributes
    ----------
    title, caption : str
    values : sequence of float
        At equal distances from the first place to the last.
    places : sequence of str
        Labels of the first, the middle and the last place.
    look : Look
    """

    title: str
    values: Sequence[float]
    places: Sequence[str]
    caption: str = ""
    look: Look = field(default=PLAIN)
    kind: ClassVar[str] = "series"

    @cached_property
    def y(self) -> Scale:
        """From zero."""
        return round_scale(self.values, intervals=3)

    @property
    def line(self) -> str:
        """The curve."""
        last = max(len(self.values) - 1, 1)
        values = self.values if len(self.values) > 1 else [*self.values, *self.values]
        points = [(100 * place / last, self.y.at(value)) for place, value in enumerate(values)]
        return line_path(points)

    @property
    def area(self) -> str:
        """What lies below it."""
        return f"{self.line}L100 100L0 100Z"


def _widest(*rows: Bar | Interval | DotRow) -> int:
    return max((len(row.text) for row in rows), default=0)


def line_path(points: Sequence[Point]) -> str:
    """Give points in percent, upwards, as the data of an SVG path."""
    steps = [f"{x:.2f} {100 - y:.2f}" for x, y in points]
    return "M" + "L".join(steps)


Figure = Bars | Forest | Panels | Dots | Series

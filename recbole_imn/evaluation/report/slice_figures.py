"""The leading metric by kind of row: plots and tables with a row a system."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recbole_imn.evaluation.report.figures import ZERO, Painter
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import Table
from recbole_imn.pages import Dot, DotRow, Dots, Fold, Look

#: Means by system and slice of a grouping; None where a run does not have it.
Means = dict[str, dict[str, float | None]]


class Slices:
    """The groupings of the test rows of a protocol.

    Parameters
    ----------
    board : Board
    protocol : str
    painter : Painter
    looks : mapping of str to Look
    """

    def __init__(
        self, board: Board, protocol: str, painter: Painter, looks: Mapping[str, Look]
    ) -> None:
        self._board, self._protocol, self._looks = board, protocol, looks
        self._order = painter.order(protocol)
        self._rows = self._count()
        self._means = {grouping: self._mean(grouping) for grouping in self._rows}

    def figures(self) -> list[Dots]:
        """Draw a plot a grouping, on the same axis."""
        values = [
            value
            for means in self._means.values()
            for of_system in means.values()
            for value in of_system.values()
            if value is not None
        ]
        top = max(values, default=0.0)
        found = [self._figure(grouping, top) for grouping in self._rows]
        return [figure for figure in found if figure.rows]

    def folds(self) -> list[Fold]:
        """Give the figures of each grouping as a table."""
        return [
            Fold(f"Table: {grouping}", self._table(grouping, slices))
            for grouping, slices in self._rows.items()
        ]

    def _count(self) -> dict[str, dict[str, int]]:
        """Give test rows by grouping and slice; older results have fewer."""
        rows: dict[str, dict[str, int]] = {}
        runs = (run for runs in self._board.results.values() for run in runs)
        for one in (one for run in runs for one in run["protocols"][self._protocol]["slices"]):
            rows.setdefault(one["grouping"], {})[one["slice"]] = one["rows"]
        return rows

    def _mean(self, grouping: str) -> Means:
        return {
            system: {name: self._of(system, grouping, name) for name in self._rows[grouping]}
            for system in self._order
        }

    def _of(self, system: str, grouping: str, name: str) -> float | None:
        """Give the mean of a slice over seeds."""
        metric, runs = self._board.agreed.metric, self._board.results[system]
        found = [
            one[metric]
            for run in runs
            for one in run["protocols"][self._protocol]["slices"]
            if (one["grouping"], one["slice"]) == (grouping, name)
        ]
        return float(np.mean(found)) if len(found) == len(runs) else None

    def _figure(self, grouping: str, top: float) -> Dots:
        means, zeros = self._means[grouping], []
        rows = []
        for name in self._rows[grouping]:
            if all((of_system[name] or 0.0) < ZERO for of_system in means.values()):
                zeros.append(f"{name} ({self._rows[grouping][name]:,} rows)")
                continue
            rows.append(self._row(grouping, name))
        caption = f"Every model at 0.0000: {'; '.join(zeros)}." if zeros else ""
        return Dots(grouping[:1].upper() + grouping[1:], rows, caption, top)

    def _row(self, grouping: str, name: str) -> DotRow:
        means, large = self._means[grouping], self._compared()
        dots = [
            Dot(label(system), value, f"{value:.4f}", self._looks[system], system in large)
            # The best of ours is drawn last, and so above all others.
            for system in sorted(self._order, key=lambda one: (one in large, self._looks[one].kind))
            if (value := means[system][name]) is not None
        ]
        shown = (means[system][name] for system in large)
        text = " / ".join("-" if value is None else f"{value:.4f}" for value in shown)
        return DotRow(name, f"{self._rows[grouping][name]:,} rows", text, dots)

    def _compared(self) -> tuple[str, ...]:
        """Give the best of ours and the strongest baseline, as far as there are any."""
        mine = [system for system in self._order if self._looks[system].is_ours][:1]
        baseline = self._board.best_baseline(self._protocol)
        return (*mine, *([] if baseline is None else [baseline]))

    @property
    def about(self) -> str:
        """Say what is drawn."""
        named = " / ".join(label(system) for system in self._compared())
        return (
            f"A dot a model, ours in their colours, baselines grey; large dots and the figures "
            f"beside them: {named}."
        )

    def _table(self, grouping: str, slices: Mapping[str, int]) -> Table:
        means = self._means[grouping]
        rows = [
            (label(system), *(_text(means[system][name]) for name in slices))
            for system in self._order
        ]
        columns = [f"{name} ({number:,} rows)" for name, number in slices.items()]
        return Table(("model", *columns), rows)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"

"""The leading metric by kind of row: plots and tables with a row a system."""

from __future__ import annotations

from collections.abc import Mapping

from recbole_imn.evaluation.report.figures import ZERO, Painter
from recbole_imn.evaluation.report.gather import Board, SliceMeans, label, slice_means
from recbole_imn.evaluation.report.parts import Table, mean_text
from recbole_imn.pages import Dot, DotRow, Dots, Fold, Look


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
        self._groups: dict[str, dict[str, SliceMeans]] = {}
        for (grouping, name), one in slice_means(board, protocol).items():
            self._groups.setdefault(grouping, {})[name] = one

    def figures(self) -> list[Dots]:
        """Draw a plot a grouping, on the same axis."""
        values = [
            value
            for slices in self._groups.values()
            for one in slices.values()
            for value in one.means.values()
            if value is not None
        ]
        top = max(values, default=0.0)
        found = [self._figure(*group, top) for group in self._groups.items()]
        return [figure for figure in found if figure.rows]

    def folds(self) -> list[Fold]:
        """Give the figures of each grouping as a table."""
        return [
            Fold(f"Table: {grouping}", self._table(slices))
            for grouping, slices in self._groups.items()
        ]

    def _figure(self, grouping: str, slices: Mapping[str, SliceMeans], top: float) -> Dots:
        rows, zeros = [], []
        for name, one in slices.items():
            if all((value or 0.0) < ZERO for value in one.means.values()):
                zeros.append(f"{name} ({one.rows:,} rows)")
                continue
            rows.append(self._row(name, one))
        caption = f"Every model at 0.0000: {'; '.join(zeros)}." if zeros else ""
        return Dots(grouping[:1].upper() + grouping[1:], rows, caption, top)

    def _row(self, name: str, one: SliceMeans) -> DotRow:
        large = self._compared()
        dots = [
            Dot(label(system), value, f"{value:.4f}", self._looks[system], system in large)
            # The best of ours is drawn last, and so above all others.
            for system in sorted(self._order, key=lambda of: (of in large, self._looks[of].kind))
            if (value := one.means[system]) is not None
        ]
        text = " / ".join(mean_text(one.means[system]) for system in large)
        return DotRow(name, f"{one.rows:,} rows", text, dots)

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

    def _table(self, slices: Mapping[str, SliceMeans]) -> Table:
        rows = [
            (label(system), *(mean_text(one.means[system]) for one in slices.values()))
            for system in self._order
        ]
        columns = [f"{name} ({one.rows:,} rows)" for name, one in slices.items()]
        return Table(("model", *columns), rows)

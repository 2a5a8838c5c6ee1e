"""One colour a system of ours, the same in every plot; baselines are grey."""

from __future__ import annotations

from recbole_imn.evaluation.report.gather import Board, is_baseline
from recbole_imn.pages import BASELINE, Look, ours

# Degrees on the colour circle of OKLCH; the same in every report.
HUES = {
    "IMNNetPlus": 258,
    "IMNNet": 48,
    "IMN_MSE": 150,
    "IMN_NCE": 312,
    "IMNNetStar": 5,
    "IMNNetLiteral": 105,
}
# Those of all other systems are as far as can be from all that are taken.
STEP = 5


def looks(board: Board) -> dict[str, Look]:
    """Give the look of every system of a report; it does not depend on their order.

    Parameters
    ----------
    board : Board
    """
    mine = sorted(system for system in board.results if not is_baseline(system))
    hues = {system: HUES[system] for system in mine if system in HUES}
    for system in mine:
        if system not in hues:
            hues[system] = _farthest(list(hues.values()))
    colors = {system: ours(hue) for system, hue in hues.items()}
    return {system: colors.get(system, BASELINE) for system in board.results}


def _farthest(taken: list[int]) -> int:
    """Give the hue with the widest gap to those that are taken; of equal ones the first."""

    def gap(hue: int) -> int:
        return min((min((hue - one) % 360, (one - hue) % 360) for one in taken), default=0)

    return max(range(0, 360, STEP), key=gap)

"""One colour a system of ours, the same in every plot; baselines are grey."""

from __future__ import annotations

from recbole_imn.evaluation.report.gather import Board, is_baseline
from recbole_imn.pages import BASELINE, Look, ours

# Degrees on the colour circle; the same in every report.
HUES = {
    "IMNNetPlus": 215,
    "IMNNet": 22,
    "IMN_MSE": 150,
    "IMN_NCE": 285,
    "IMNNetStar": 335,
    "IMNNetLiteral": 55,
}
# Of all other systems: each step leaves the widest gap that is left.
FIRST, GOLDEN_ANGLE = 185.0, 137.508


def looks(board: Board) -> dict[str, Look]:
    """Give the look of every system of a report; it does not depend on their order.

    Parameters
    ----------
    board : Board
    """
    mine = sorted(system for system in board.results if not is_baseline(system))
    others = [system for system in mine if system not in HUES]
    hues = {system: round(FIRST + GOLDEN_ANGLE * place) for place, system in enumerate(others)}
    colors = {system: ours({**HUES, **hues}[system]) for system in mine}
    return {system: colors.get(system, BASELINE) for system in board.results}

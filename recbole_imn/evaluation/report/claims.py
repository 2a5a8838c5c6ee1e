"""The paper's claims, each beside what the runs of a report say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbole_imn.evaluation.permutation import sign_flip_p_value
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import METRICS, RANKED, SIMULATED, Section, Table
from recbole_imn.evaluation.significance import Figure, gains, holm, paired
from recbole_imn.log import Floats
from recbole_imn.paper.claims import CLAIMS, Claim, Pair, Side
from recbole_imn.paper.figures import published

# Of a difference that is seen.
SURE = 0.05
RULE = (
    "Verdicts: a claim is made of comparisons, a system against another in a metric. It holds if "
    "the 95% intervals of all its differences lie above 0. It does not hold if one does not: the "
    "opposite is seen where an interval lies below 0, by the permutation test over users too, "
    "after Holm's correction for all comparisons of the claim; otherwise no difference is shown, "
    "which does not mean that there is none: the interval says how large it may be. It is not "
    "testable if a system was not run and nothing that was run speaks against it. The comparison "
    "shown is the surest opposite one where there is one, and else that with the lowest interval. "
    "Differences are paired by row and averaged over seeds; intervals come from resampling users, "
    "and the seeds of either side. Where a side has one seed, how far others would be from it is "
    "in no interval, and three seeds tell little of it. Of other logs none of this says anything."
)


@dataclass(frozen=True)
class Tested:
    """A pair and its difference: of every test row, float64 [n_rows], and their mean."""

    pair: Pair
    figure: Figure
    rows: Floats


@dataclass(frozen=True)
class Verdict:
    """What the runs say of a claim.

    Attributes
    ----------
    text : str
        ``holds``, ``does not hold (why)`` or ``not testable here (why)``.
    worst : Tested, optional
        Of those that were run the comparison by which it is the opposite, or else that with the
        lowest interval.
    n_tested : int
        Comparisons that were run.
    """

    text: str
    worst: Tested | None
    n_tested: int


def claims_section(board: Board) -> Section:
    """Lay out every claim with the paper's difference, ours and the verdict.

    Parameters
    ----------
    board : Board
        Its first protocol is looked at, which is also that of validation.
    """
    known: dict[Side, list[Floats]] = {}
    rows = [_row(claim, judge(claim, board, known), board) for claim in CLAIMS]
    columns = ("claim", "where in the paper", "there", "here, 95% interval", "seeds", "verdict")
    mark = f" ({SIMULATED})" if board.any_result["simulated"] else ""
    return Section(
        f"The paper's claims{mark}",
        [
            f"Test rows of {board.dataset}, {RANKED[board.protocols[0]]}. What the paper claims "
            "of its own logs need not be so on another one. Its difference is that of the "
            "comparison shown here, or where none is, from the least to the most of the claim's.",
            RULE,
        ],
        Table(columns, rows),
        kind="claims",
    )


def judge(claim: Claim, board: Board, known: dict[Side, list[Floats]] | None = None) -> Verdict:
    """Say whether a claim holds among the runs of a report.

    Parameters
    ----------
    claim : Claim
    board : Board
    known : dict, optional
        What was looked at before, float64 [n_rows] a seed; it is filled.
    """
    if claim.needs_purchases and not board.knows_purchases:
        return Verdict("not testable here (the log knows no purchases)", None, 0)
    known = {} if known is None else known
    found = [
        _tested(pair, board, known)
        for pair in claim.pairs
        if {pair.ahead.system, pair.behind.system} <= set(board.results)
    ]
    # Equal ones in order of the claim.
    lowest = min(found, key=_low, default=None)
    if lowest is None or _low(lowest) > 0:
        return Verdict(_as_far_as_run(claim, board), lowest, len(found))
    opposite = _opposite(found, board)
    if opposite is not None:
        return Verdict("does not hold (the opposite is seen)", opposite, len(found))
    return Verdict("does not hold (no difference is shown)", lowest, len(found))


def _low(tested: Tested) -> float:
    """Give the low end of an interval; what has none shows nothing."""
    return float(np.nan_to_num(tested.figure.low, nan=-np.inf))


def _as_far_as_run(claim: Claim, board: Board) -> str:
    missing = [label(system) for system in claim.systems if system not in board.results]
    if missing:
        were = "was" if len(missing) == 1 else "were"
        return f"not testable here ({', '.join(missing)} {were} not run)"
    return "holds"


def _opposite(found: Sequence[Tested], board: Board) -> Tested | None:
    """Give the comparison that says the opposite of a claim most surely, if there is one."""
    p_values = holm([sign_flip_p_value(tested.rows, board.users) for tested in found])
    sure = [
        (p_value, _low(tested), place)
        for place, (p_value, tested) in enumerate(zip(p_values, found, strict=True))
        # An interval of a single user is none.
        if tested.figure.mean < 0 and not tested.figure.high >= 0 and p_value < SURE
    ]
    return found[min(sure)[-1]] if sure else None


def _tested(pair: Pair, board: Board, known: dict[Side, list[Floats]]) -> Tested:
    for side in (pair.ahead, pair.behind):
        if side not in known:
            known[side] = gains(board.ranks[board.protocols[0], side.system], side.metric)
    return Tested(pair, *paired(known[pair.ahead], known[pair.behind], board.users))


def _row(claim: Claim, verdict: Verdict, board: Board) -> tuple[str, ...]:
    text = f"{claim.text} ({claim.remark})" if claim.remark else claim.text
    where = " and ".join(claim.logs) or "its text"
    shown = (verdict.worst.pair,) if verdict.worst else claim.pairs
    theirs = ", ".join(_theirs(log, shown) for log in claim.logs) or "no figure"
    ours, seeds = _ours(verdict, len(claim.pairs)), _seeds(verdict, board)
    return (text, where, theirs, ours, seeds, verdict.text)


def _theirs(log: str, pairs: Sequence[Pair]) -> str:
    """Give the paper's own differences of some pairs on a log: the one, or the least and most."""
    found = [f"{_figure(log, pair.ahead) - _figure(log, pair.behind):+.4f}" for pair in pairs]
    ends = sorted({min(found, key=float), max(found, key=float)}, key=float)
    return f"{log} {' to '.join(ends)}"


def _figure(log: str, side: Side) -> float:
    """Give the paper's own figure; a claim that names a log has one of all its systems."""
    figure = published(log, side.system, side.metric)
    assert figure is not None
    return figure


def _ours(verdict: Verdict, n_pairs: int) -> str:
    if verdict.worst is None:
        return "-"
    text = f"{_named(verdict.worst.pair)}: {verdict.worst.figure}"
    which = f"one of {verdict.n_tested}"
    missing = n_pairs - verdict.n_tested
    which += f", {missing} not run" if missing else ""
    return f"{text} ({which})" if n_pairs > 1 else text


def _seeds(verdict: Verdict, board: Board) -> str:
    """Give the seeds of both sides of what is shown."""
    if verdict.worst is None:
        return "-"
    pair = verdict.worst.pair
    numbers = [len(board.results[side.system]) for side in (pair.ahead, pair.behind)]
    return " and ".join(map(str, dict.fromkeys(numbers)))


def _named(pair: Pair) -> str:
    """Say what is subtracted from what."""
    ahead, behind = pair.ahead, pair.behind
    metrics = METRICS[ahead.metric], METRICS[behind.metric]
    if ahead.metric == behind.metric:
        return f"{metrics[0]}, {label(ahead.system)} - {label(behind.system)}"
    return f"{label(ahead.system)}, {metrics[0]} - {metrics[1]}"

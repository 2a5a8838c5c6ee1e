"""Every system against the strongest baseline: differences, intervals and tests."""

from __future__ import annotations

from dataclasses import replace

from recbole_imn.evaluation.permutation import PERMUTATIONS
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import RANKED, Against, Section, Table
from recbole_imn.evaluation.significance import Comparison, compare, holm


def against(board: Board, protocol: str) -> Against | None:
    """Compare every system with the strongest baseline; None where there is no other."""
    baseline = board.best_baseline(protocol)
    others = [system for system in board.results if system != baseline]
    if baseline is None or not others:
        return None
    found = _corrected([_compare(board, protocol, system, baseline) for system in others])
    return Against(baseline, dict(zip(others, found, strict=True)))


def comparison_section(board: Board, protocol: str, compared: Against) -> Section:
    """Lay out the comparisons of a protocol."""
    shown = board.agreed.label
    return Section(
        f"Against {label(compared.baseline)}, the strongest baseline: {RANKED[protocol]}",
        [
            f"The baseline is the one with the highest {shown} on these rows. Difference, interval "
            f"and p are all of {shown}, paired by row, seeds averaged. Rows of a user are not "
            "independent: intervals come from resampling users, and the seeds of both; p, "
            f"two-sided, comes from flipping the signs of whole users ({PERMUTATIONS:,} times at "
            "random; of few users in every possible way), corrected by Holm over the "
            f"{len(compared.found)} comparisons of this table."
        ],
        _table(list(compared.found.values()), shown),
        kind="comparisons",
        protocol=protocol,
    )


def _compare(board: Board, protocol: str, system: str, baseline: str) -> Comparison:
    return compare(
        label(system),
        label(baseline),
        board.ranks[protocol, system],
        board.ranks[protocol, baseline],
        board.users,
        board.agreed.metric,
    )


def _corrected(found: list[Comparison]) -> list[Comparison]:
    corrected = holm([one.p_value for one in found])
    return [replace(one, corrected=p) for one, p in zip(found, corrected, strict=True)]


def _table(found: list[Comparison], shown: str) -> Table:
    rows = [
        (
            one.model,
            f"{one.figure.mean:+.4f}",
            one.figure.interval,
            f"{one.p_value:.2g}",
            f"{one.corrected:.2g}",
        )
        for one in found
    ]
    return Table(("model", f"{shown} difference", "95% interval", "p", "p corrected"), rows)

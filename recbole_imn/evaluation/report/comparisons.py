"""Every system against the strongest baseline: differences, intervals and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from recbole_imn.evaluation.permutation import PERMUTATIONS
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import PROTOCOLS, Section, Table
from recbole_imn.evaluation.significance import Comparison, compare, holm


def comparisons(board: Board, protocol: str) -> Iterator[Section]:
    """Compare every system with the strongest baseline; nothing where there is no other."""
    baseline = board.best_baseline(protocol)
    others = [system for system in board.results if system != baseline]
    if baseline is None or not others:
        return
    shown = board.agreed.label
    found = _corrected([_compare(board, protocol, system, baseline) for system in others])
    yield Section(
        f"Against {label(baseline)}, the strongest baseline: {PROTOCOLS[protocol]}",
        [
            f"The baseline is the one with the highest {shown} on these rows. Difference, interval "
            f"and p are all of {shown}, paired by row, seeds averaged. Rows of a user are not "
            "independent: intervals come from resampling users, and p, two-sided, from flipping "
            f"the signs of whole users ({PERMUTATIONS:,} times at random; of few users in every "
            f"possible way), corrected by Holm over the {len(found)} comparisons of this table."
        ],
        _table(found, shown),
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
            f"{one.difference:+.4f}",
            f"{one.low:+.4f} to {one.high:+.4f}",
            f"{one.p_value:.2g}",
            f"{one.corrected:.2g}",
        )
        for one in found
    ]
    return Table(("model", f"{shown} difference", "95% interval", "p", "p corrected"), rows)

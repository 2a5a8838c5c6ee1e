"""The log that systems were compared on, and what each of its users counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import RANKED, Section, Table, spread
from recbole_imn.evaluation.significance import gains, paired
from recbole_imn.log import Floats


def log_section(board: Board) -> Section:
    """Lay out the size of the log and of its parts, as far as the runs know it."""
    rows = [*_size(board), ("users of the test rows", f"{len(np.unique(board.users)):,}")]
    rows.append(("most active of them with half of the rows", f"{with_half(board.users):,}"))
    share = purchases(board)
    if share is not None:
        rows.append(("purchases", f"{share:.2%} of the test rows"))
    return Section("The log", [], Table(("what", "number"), rows), kind="log")


def _size(board: Board) -> Iterator[tuple[str, str]]:
    """Give counts, which older results do not know."""
    facts = board.any_result.get("log", {})
    for name in ("events", "users", "items"):
        if name in facts:
            yield name, f"{facts[name]:,}"
    for name in ("training", "validation", "test"):
        if name in facts:
            yield f"events of the {name} part", f"{facts[name]:,}"


def purchases(board: Board) -> float | None:
    """Give the share of purchases among the test rows; None where it was not counted."""
    slices = board.any_result["protocols"][board.protocols[0]]["slices"]
    counts = {one["slice"]: one["rows"] for one in slices if one["grouping"] == "row's own event"}
    return float(counts.get("a purchase", 0) / sum(counts.values())) if counts else None


def with_half(users: npt.NDArray[np.object_]) -> int:
    """Give how few users have half of the rows.

    Parameters
    ----------
    users : object [n_rows]
    """
    _, counts = np.unique(users.astype(str), return_counts=True)
    return int(np.searchsorted(np.sort(counts)[::-1].cumsum(), len(users) / 2)) + 1


def users_section(board: Board, protocol: str, baseline: str | None) -> Section:
    """Lay out means over users instead of rows, beside the strongest baseline.

    Parameters
    ----------
    board : Board
    protocol : str
    baseline : str or None
        What systems are compared with, if there is anything.
    """
    names = np.unique(board.users)
    means = {system: _by_user(board, protocol, system) for system in board.results}
    shown = board.agreed.label
    rows = [
        (
            label(system),
            spread(np.array([one.mean() for one in seeds])),
            *_difference(seeds, means[baseline] if baseline else [], names, system == baseline),
        )
        for system, seeds in means.items()
    ]
    columns = ("model", f"{shown}, mean over users", "difference to the baseline", "95% interval")
    return Section(
        f"Every user counted once: {RANKED[protocol]}",
        [
            f"Above, who acts more counts more: {with_half(board.users):,} of {len(names):,} users "
            f"have half of the rows. Here {shown} is averaged over the rows of each user, and then "
            "over users."
        ],
        Table(columns, rows),
        kind="users",
        protocol=protocol,
    )


def _by_user(board: Board, protocol: str, system: str) -> list[Floats]:
    """Give the metric of each user, in order of their names, float64 [n_users] a seed."""
    _, user = np.unique(board.users, return_inverse=True)
    number = np.bincount(user)
    values = gains(board.ranks[protocol, system], board.agreed.metric)
    return [np.bincount(user, weights=one) / number for one in values]


def _difference(
    seeds: list[Floats], others: list[Floats], users: npt.NDArray[np.object_], is_same: bool
) -> tuple[str, str]:
    if is_same or not others:
        return "-", "-"
    figure, _ = paired(seeds, others, users)
    return f"{figure.mean:+.4f}", figure.interval

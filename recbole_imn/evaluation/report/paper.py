"""The paper's figures beside ours, where a data set is a log of the paper or made after one."""

from __future__ import annotations

from collections.abc import Iterator

from recbole_imn.evaluation.paper.figures import (
    METRICS,
    SOURCE,
    SYSTEMS,
    TABLE_2,
    LogFigures,
    log_of,
    published,
)
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import METRICS as SHOWN
from recbole_imn.evaluation.report.parts import PROTOCOLS, SIMULATED, Section, Table, spread

NOT_COMPARABLE = (
    "The paper's log is not public, and this one is simulated after its published statistics: the "
    "figures are not comparable, and are shown so that nobody has to look them up."
)
NOT_THE_SAME = (
    "Comparable as far as the log, its cut and its rows are the paper's, which the paper does not "
    "tell in full."
)


def paper_sections(board: Board) -> Iterator[Section]:
    """Lay out Table 2 and Tables 3 and 4 of the paper beside the runs; nothing on other logs.

    Parameters
    ----------
    board : Board
        Our figures are those of its first protocol.
    """
    simulated = bool(board.any_result["simulated"])
    log = log_of(board.dataset, simulated)
    if log is None:
        return
    mark = f" ({SIMULATED})" if simulated else ""
    sentence = NOT_COMPARABLE if simulated else NOT_THE_SAME
    yield _results(board, log, mark, sentence)
    # Older results do not know the log's size.
    if "log" in board.any_result:
        yield _log(board, TABLE_2[log], mark)


def _results(board: Board, log: str, mark: str, sentence: str) -> Section:
    (protocol, *_), name = board.protocols, TABLE_2[log].title
    rows = [(label(system), *_cells(board, log, protocol, system)) for system in SYSTEMS]
    columns = [f"{SHOWN[metric]}, {whose}" for metric in METRICS for whose in ("paper", "here")]
    return Section(
        f"The paper's figures of {name} beside ours{mark}",
        [
            f"{sentence} Tables 3 and 4 of {SOURCE}; here {PROTOCOLS[protocol]}, mean ± standard "
            "deviation over seeds.",
        ],
        Table(("model", *columns), rows),
        kind="paper",
    )


def _cells(board: Board, log: str, protocol: str, system: str) -> Iterator[str]:
    for metric in METRICS:
        theirs = published(log, system, metric)
        yield "-" if theirs is None else f"{theirs:.4f}"
        has_run = system in board.results
        yield spread(board.metric(system, protocol, metric)) if has_run else "not run"


def _log(board: Board, paper: LogFigures, mark: str) -> Section:
    """Put the log's size beside that of the paper's Table 2."""
    here = board.any_result["log"]
    rows = [
        ("users", f"{paper.users:,}", f"{here['users']:,}"),
        ("items", f"{paper.items:,}", f"{here['items']:,}"),
        ("actions", f"{paper.actions:,}", f"{here['events']:,}"),
        (
            "actions a user",
            f"{paper.actions_a_user} ({paper.actions / paper.users:.1f} by division)",
            f"{here['events'] / here['users']:.1f}",
        ),
        (
            "actions an item",
            f"{paper.actions_an_item} ({paper.actions / paper.items:.1f} by division)",
            f"{here['events'] / here['items']:.1f}",
        ),
        ("span", paper.span, "-"),
        ("purchases", f"{paper.purchases:.2%}", _purchases(board)),
        ("price of an item", paper.price, "-"),
    ]
    return Section(
        f"The paper's log and this one{mark}",
        [f"Table 2 of the paper, {paper.title}. Where it contradicts itself, both are given."],
        Table(("what", "paper", "here"), rows),
        kind="paper log",
    )


def _purchases(board: Board) -> str:
    """Give the share of purchases among the test rows, where it was counted."""
    slices = board.any_result["protocols"][board.protocols[0]]["slices"]
    counts = {one["slice"]: one["rows"] for one in slices if one["grouping"] == "row's own event"}
    if not counts:
        return "-"
    return f"{counts.get('a purchase', 0) / sum(counts.values()):.2%} of the test rows"

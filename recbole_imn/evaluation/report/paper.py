"""The paper's figures beside ours, where a data set is a log of the paper or made after one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recbole_imn.evaluation.metrics import CUTS
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.log import purchases
from recbole_imn.evaluation.report.parts import METRICS as SHOWN
from recbole_imn.evaluation.report.parts import RANKED, SIMULATED, Section, Table, spread
from recbole_imn.paper.figures import (
    METRICS,
    SOURCE,
    SYSTEMS,
    TABLE_2,
    LogFigures,
    log_of,
    published,
)

NOT_COMPARABLE = (
    "The paper's log is not public, and this one is simulated after its published statistics: the "
    "figures are not comparable, and are shown so that nobody has to look them up."
)
NOT_THE_SAME = (
    "Comparable as far as the log, its cut and its rows are the paper's, which the paper does not "
    "tell in full."
)
OTHER = (
    "This is none of the paper's logs: the figures are not comparable, and are shown so that "
    "nobody has to look them up."
)


def paper_sections(board: Board) -> Iterator[Section]:
    """Lay out Tables 3 and 4 of the paper beside the runs, and Table 2 beside one of its logs.

    Parameters
    ----------
    board : Board
        Our figures are those of its first protocol.
    """
    simulated = bool(board.any_result["simulated"])
    log = log_of(board.dataset, simulated)
    mark = f" ({SIMULATED})" if simulated else ""
    sentence = OTHER if log is None else NOT_COMPARABLE if mark else NOT_THE_SAME
    for cut in CUTS:
        yield _results(board, cut, mark, sentence)
    # Older results do not know the log's size.
    if log is not None and "log" in board.any_result:
        yield _log(board, TABLE_2[log], mark)


def _results(board: Board, cut: int, mark: str, sentence: str) -> Section:
    protocol = board.protocols[0]
    metrics = [metric for metric in METRICS if metric.endswith(f"@{cut}")]
    rows = [(label(system), *_cells(board, protocol, system, metrics)) for system in SYSTEMS]
    columns = [f"{SHOWN[metric]}, {whose}" for metric in metrics for whose in (*TABLE_2, "here")]
    return Section(
        f"The paper's figures beside ours, the first {cut}{mark}",
        [
            f"{sentence} Tables 3 and 4 of {SOURCE}, of its logs "
            f"{' and '.join(f'{log} ({TABLE_2[log].title})' for log in TABLE_2)}; here "
            f"{RANKED[protocol]}, mean ± standard deviation over seeds.",
        ],
        Table(("model", *columns), rows),
        kind="paper",
    )


def _cells(board: Board, protocol: str, system: str, metrics: Sequence[str]) -> Iterator[str]:
    for metric in metrics:
        for log in TABLE_2:
            theirs = published(log, system, metric)
            yield "-" if theirs is None else f"{theirs:.4f}"
        has_run = system in board.results
        yield spread(board.metric(system, protocol, metric)) if has_run else "not run"


def _log(board: Board, paper: LogFigures, mark: str) -> Section:
    """Put the log's size beside that of the paper's Table 2."""
    here, share = board.any_result["log"], purchases(board)
    purchased = "-" if share is None else f"{share:.2%} of the test rows"
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
        ("purchases", f"{paper.purchases:.2%}", purchased),
    ]
    return Section(
        f"The paper's log and this one{mark}",
        [
            f"Table 2 of the paper, {paper.title}, {paper.span}, mean price {paper.price}. Where "
            "it contradicts itself, both are given. The command describe shows more of the log."
        ],
        Table(("what", "paper", "here"), rows),
        kind="paper log",
    )

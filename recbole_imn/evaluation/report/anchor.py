"""The part of a report that stands beside figures which others have published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from recbole_imn.evaluation.leaderboards import Leaderboard, leaderboard_of
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import Section, Table, spread
from recbole_imn.evaluation.significance import gains, interval, paired_interval


def anchor(board: Board) -> Iterator[Section]:
    """Lay out the leading metric on test and validation rows, and who else has published it.

    Parameters
    ----------
    board : Board
        Of a protocol that keeps ranks of validation rows.
    """
    facts = board.any_result["log"]
    yield _results(board, facts)
    published = leaderboard_of(board.agreed, facts)
    if published is not None:
        yield _leaderboard(published, facts)


def _results(board: Board, facts: Mapping[str, Any]) -> Section:
    shown = board.agreed.label
    (candidates,) = board.protocols
    rows = []
    for model in board.results:
        test = board.ranks[candidates, model]
        chosen = _cells(board, board.validation[model], board.validation_users)
        rows.append((label(model), *_cells(board, test, board.users), *chosen))
    columns = ("model", f"test {shown}", "95% interval", f"validation {shown}", "95% interval")
    return Section(
        f"{shown} over all {facts['catalogue']:,} items: protocol {board.agreed.name}",
        [
            f"Events are cut at the 0.70 and 0.85 quantiles of their times into "
            f"{facts['training']:,} to learn from, {facts['validation']:,} for validation and "
            f"{facts['test']:,} for the test, by which the best epoch is chosen and tested. "
            "Every event is a row, users' and items' first events included. The reciprocal rank "
            "has no cut, and the rank is the mean of the best and the worst that ties allow.",
            "Each event is scored from everything before it in the file; no item is left out. "
            "Mean ± standard deviation over seeds; intervals come from resampling users and "
            "seeds.",
        ],
        Table(columns, rows),
        kind="anchor",
    )


def _cells(board: Board, ranks: list[Any], users: Any) -> tuple[str, str]:
    """Give mean and deviation over seeds, and the interval over users."""
    seeds = gains(ranks, board.agreed.metric)
    means = np.array([one.mean() for one in seeds])
    return spread(means), interval(*paired_interval(seeds, [], users))


def _leaderboard(published: Leaderboard, facts: Mapping[str, Any]) -> Section:
    return Section(
        f"What others have published: {published.name}",
        [
            f"Figures of the public leaderboard, {published.source}, which goes on changing. They "
            "are copied, not measured here. This is the log that they are on: "
            f"{published.events:,} events of {published.users:,} users and {published.items:,} "
            "items. Where their evaluation and ours differ:",
            *_differences(facts),
            *published.remarks,
        ],
        Table(("method", "test MRR", "validation MRR"), published.rows),
        kind="leaderboard",
    )


def _differences(facts: Mapping[str, Any]) -> list[str]:
    """Say how the Temporal Graph Benchmark evaluates, and how much it matters on this log."""
    return [
        "Cut: the same, events at or before a quantile of the times; there times are whole "
        "seconds.",
        "Rank: the same, 1 + (items with a higher score + items with a higher or equal score) / 2 "
        "with the true item left out (linkproppred/evaluate.py of py-tgb), which is 1 + higher + "
        "half of the ties.",
        "Destinations: version 2 of the log compares the true item with all others, not with a "
        "sample, but for those that the same user took in the same second; here those stay in, "
        f"which concerns {facts['own_other_items']:,} test rows. Both know all items of the "
        f"catalogue ({facts['catalogue']:,}) from the beginning, those included that nobody has "
        "touched yet, and nobody's first event is left out.",
        "What a score knows: methods that look up neighbours see everything of earlier seconds "
        "there, and methods with a memory mostly everything before their batch of 200 events. "
        "Here events of the same second are in the order of the file, and a row knows those "
        f"before it: {facts['after_same_time']:,} of the {facts['test']:,} test rows come after "
        f"an event of the same second, {facts['after_own_same_time']:,} of them after one of the "
        "same user.",
    ]

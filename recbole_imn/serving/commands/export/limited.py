"""Lists that are made together, so that no item is on too many of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from recbole_imn.errors import ServingError
from recbole_imn.log import Integers
from recbole_imn.serving.allocation.lists import MOST_CANDIDATES, allocate_lists
from recbole_imn.serving.allocation.result import Allocation
from recbole_imn.serving.choice import Ranking
from recbole_imn.serving.commands.export.job import Job
from recbole_imn.serving.commands.export.ranking import Exported, about, moment_text
from recbole_imn.serving.commands.export.tables import Rows, write_tables
from recbole_imn.serving.commands.export.work import Work, working_on
from recbole_imn.serving.times import LogSeconds

# Candidates of each user that are looked at first, at least.
WIDTH = 100


def export_limited(job: Job, restart: bool = False) -> Exported:
    """Write lists of all users in which no item is on more than some.

    Scores are probabilities. Nothing can be resumed: lists depend on each other.

    Parameters
    ----------
    job : Job
    restart : bool
        Forget what was broken off.

    Raises
    ------
    ServingError
        If there are too many users to have the candidates of all in memory, or an export with
        other options was broken off there.
    """
    _refuse_too_many(job)
    recommender = job.recommender
    moment = recommender.moment(job.at)
    with working_on(job.output, restart):
        # Refuses what is of another plan; parts are of no use here.
        Work(job.output, job.plan(), moment)
        rows = Rows(recommender.market, job.wish.attributes, about(job, moment))
        # To the last bit: a stay that ends with this moment still lasts.
        found = _allocate(job, LogSeconds(moment))
        print(found)
        ranking = _ranking(job, found.lists)
        n_rows = write_tables(job.output, job.form, rows.schema, _tables(job, ranking, rows))
    return Exported(n_rows, moment_text(job, moment))


def _allocate(job: Job, at: LogSeconds) -> Allocation:
    wish, capacity = job.wish, job.capacity
    assert capacity is not None
    return allocate_lists(
        job.recommender, job.users, capacity, wish.k, at, wish.candidates, wish.exclude, width=WIDTH
    )


def _refuse_too_many(job: Job) -> None:
    width = max(WIDTH, job.wish.k)
    most = MOST_CANDIDATES // width
    if len(job.users) > most:
        raise ServingError(
            f"--capacity makes the lists of all {len(job.users):,} users together, and the "
            f"{width:,} candidates of each fit in memory for {most:,}; give fewer users or a "
            "smaller --k"
        )


def _ranking(job: Job, lists: pd.DataFrame) -> Ranking:
    """Give lists as numbers, in the order of the users."""
    places = {user: place for place, user in enumerate(job.users)}
    owners = lists["user"].map(places).to_numpy(np.int64)
    numbers: Integers = np.array(
        [job.recommender.market.number_of(item) for item in lists["item"]], np.int64
    )
    counts = np.bincount(owners, minlength=len(job.users))
    return Ranking(counts, numbers, lists["score"].to_numpy(np.float64))


def _tables(job: Job, ranking: Ranking, rows: Rows) -> Iterator[Any]:
    size, stops = job.part_size(), np.cumsum(ranking.counts)
    for start in range(0, len(job.users), size):
        counts = ranking.counts[start : start + size]
        entries = slice(int(stops[start] - counts[0]), int(stops[start : start + size][-1]))
        part = Ranking(counts, ranking.items[entries], ranking.scores[entries])
        yield rows.table(job.users[start : start + size], part)

"""Ranking for all users, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from recbole_imn.serving.choice import Ranking
from recbole_imn.serving.commands.export.job import Job
from recbole_imn.serving.commands.export.tables import Rows, write_tables
from recbole_imn.serving.commands.export.work import Work, working_on
from recbole_imn.serving.lists import Lists


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    n_rows : int
    moment : str
        What lists are for, as ISO 8601.
    """

    n_rows: int
    moment: str


def export(job: Job, restart: bool = False) -> Exported:
    """Write lists of all users; what was broken off goes on, to the same bytes.

    Parameters
    ----------
    job : Job
    restart : bool
        Forget what was broken off.

    Raises
    ------
    ServingError
        If another export was broken off there, or one is at work.
    """
    with working_on(job.output, restart):
        work = Work(job.output, job.plan(), job.recommender.moment(job.at))
        # What cannot be written is refused before hours of ranking.
        rows = Rows(job.recommender.market, job.wish.attributes, about(job, work.moment))
        _rank(job, work)
        n_rows = write_tables(job.output, job.form, rows.schema, _tables(job, work, rows))
        work.remove()
    return Exported(n_rows, moment_text(job, work.moment))


def _rank(job: Job, work: Work) -> None:
    """Make the parts that are missing."""
    lists, size = Lists(job.recommender.market), job.part_size()
    items = lists.candidates(job.wish.candidates, work.moment)
    done = min(len(work) * size, len(job.users))
    with tqdm(total=len(job.users), initial=done, desc="ranking", unit="user", disable=None) as bar:
        for start in range(done, len(job.users), size):
            users = job.users[start : start + size]
            work.add(Ranking.joined(list(_batches(job, lists, work.moment, items, users, bar))))


def _batches(
    job: Job, lists: Lists, moment: float, items: Any, users: tuple[str, ...], bar: Any
) -> Iterator[Ranking]:
    batch = job.batch_size()
    for start in range(0, len(users), batch):
        some = users[start : start + batch]
        yield lists.rank(some, moment, items, job.wish, batch)
        bar.update(len(some))


def _tables(job: Job, work: Work, rows: Rows) -> Iterator[Any]:
    size = job.part_size()
    for number in tqdm(range(len(work)), desc="writing", unit="part", disable=None):
        yield rows.table(job.users[number * size : (number + 1) * size], work.part(number))


def about(job: Job, moment: float) -> dict[str, str]:
    """Say what a file is of, for whoever opens it without knowing."""
    found = {"data": job.recommender.data_name, "as of": moment_text(job, moment)}
    notice = job.recommender.simulated
    return found | ({"simulated": notice} if notice else {})


def moment_text(job: Job, moment: float) -> str:
    """Give the moment that lists are for; nobody can be asked before the last event."""
    return job.recommender.clock.text(max(moment, job.recommender.last_time))

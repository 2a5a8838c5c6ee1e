"""From a source to atomic files: read, check, sort, write, and only then replace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from tqdm import tqdm

from recbole_imn.data.convert.events import first_fault, to_events
from recbole_imn.data.convert.ids import Ids
from recbole_imn.data.convert.items import ItemCollector, Items
from recbole_imn.data.convert.layout import Layout, Table
from recbole_imn.data.convert.odd_times import odd
from recbole_imn.data.convert.output import write_events, write_items
from recbole_imn.data.convert.rejects import FileCount, Rejects
from recbole_imn.data.convert.rows import Step, rows_and_sum, unchanged
from recbole_imn.data.convert.shelf import far_away, unknown_stays
from recbole_imn.data.convert.sniff import require_different, require_file
from recbole_imn.data.convert.sorting import SortedRuns
from recbole_imn.data.convert.source import MAX_BAD, Source
from recbole_imn.data.convert.summary import Conversion
from recbole_imn.data.convert.times import as_text, midnight_before
from recbole_imn.data.convert.workspace import SUFFIXES, Workspace
from recbole_imn.data.publishing import settle
from recbole_imn.data.time_range import suspicious
from recbole_imn.errors import DataError
from recbole_imn.files import read_json


def convert(
    source: Source,
    output: Path,
    name: str,
    max_bad: float = MAX_BAD,
    duplicates: str = "keep",
) -> Conversion:
    """Convert a source to a data set of atomic files.

    Parameters
    ----------
    source : Source
    output : Path
        Parent folder; the files go to ``output/name``.
    name : str
        Name of the data set.
    max_bad : float
        Largest share of bad rows, 0..1, with which anything is written.
    duplicates : {"keep", "first"}
        Whether events equal in user, item, time, action and purchase flag are all written, or
        only the first of them.

    Returns
    -------
    Conversion

    Raises
    ------
    DataError
        If a file is not what it claims, too many rows are bad, or no row is good. Earlier
        files are then as they were, but for ``NAME.rejected.csv``.
    """
    folder = output / name
    settle(folder, name)
    _refuse_other_files(folder, name)
    with Workspace(folder, name) as work:
        rejects = Rejects(work.path("rejected.csv"))
        job = Conversion(source, folder, duplicates, rejects, notes=list(source.notes))
        items = None
        with tqdm(
            total=_size(source), unit="B", unit_scale=True, desc="reading", disable=None
        ) as bar:
            reading = _Reading(job, bar)
            if source.items:
                items = source.items.read(reading.rows, job.rejects)
                job.notes += items.notes
            runs, collector = _read_events(source, reading, items, work)
        _check(job, max_bad, runs.rows, work)
        _write(job, runs, collector, items, work)
        work.publish(*SUFFIXES)
    return job


def _refuse_other_files(folder: Path, name: str) -> None:
    """Raise if files would be replaced that no earlier conversion has made."""
    if (folder / f"{name}.market.json").exists():
        raise DataError(
            f"{folder} holds the simulated market {name!r}; choose another --name, or remove "
            "the folder first"
        )
    record = folder / f"{name}.source.json"
    made = read_json(record, DataError).get("outputs", {}) if record.exists() else {}
    for suffix in ("inter", "item"):
        file = folder / f"{name}.{suffix}"
        if file.exists() and file.name not in made:
            raise DataError(
                f"{file} was made by no conversion, and would be replaced; choose another "
                "--name, or move it away"
            )


class _Reading:
    """Reads tables for a job, with a progress bar, and keeps size and sum of each."""

    def __init__(self, job: Conversion, bar: tqdm[Any]) -> None:
        self.job, self._bar = job, bar

    def rows(self, table: Table, then: Step = unchanged) -> Iterator[pl.DataFrame]:
        joined = partial(self.job.rejects.joined, table.path)
        digest = yield from rows_and_sum(table, self._bar, then, joined)
        about = {"path": table.path, "file": table.path.name, "bytes": table.path.stat().st_size}
        self.job.inputs.append({**about, "sha256": digest})


def _size(source: Source) -> int:
    """Bytes of all files, every one of which must be there."""
    tables = [
        *(source.items.tables if source.items else ()),
        *(table for table, _ in source.tables),
    ]
    for table in tables:
        require_file(table.path)
    require_different([table.path for table in tables], "rows")
    return sum(table.path.stat().st_size for table in tables)


def _read_events(
    source: Source, reading: _Reading, items: Items | None, work: Workspace
) -> tuple[SortedRuns, ItemCollector | None]:
    runs, ids = SortedRuns(work.scratch), Ids()
    attributes = list(source.layout.item_columns)
    collector = ItemCollector(attributes) if attributes or items else None
    first_listed = items.first_listed() if items else None
    columns = ["time" if name == "timestamp" else name for name in source.layout.event_types]
    for table, layout in source.tables:
        step = partial(_events, layout=layout, first_listed=first_listed)
        for events in reading.rows(replace(table, used=layout.used), step):
            good = reading.job.rejects.separate(events, table.path)
            ids.add(good, table.path)
            if collector:
                collector.add(good)
            runs.add(good.select(columns))
    reading.job.notes += ids.notes()
    return runs, collector


def _events(rows: pl.DataFrame, layout: Layout, first_listed: pl.DataFrame | None) -> pl.DataFrame:
    """Turn rows into events; a purchase of an item before it was ever listed is a bad row."""
    events = to_events(rows, layout)
    if first_listed is None or not layout.has_purchase:
        return events
    joined = events.join(first_listed, on="item_id", how="left", maintain_order="left")
    early = (pl.col("purchase") == 1) & (pl.col("time") < pl.col("first_listed"))
    kind = first_fault([("purchase before any listing", early)])
    return joined.with_columns(kind=kind).drop("first_listed")


def _check(job: Conversion, max_bad: float, good_rows: int, work: Workspace) -> None:
    """Count the rows of each kind of file, and raise if they are not good enough.

    The list of bad ones is left then.
    """
    rejects, counts = job.rejects, job.counts
    files = [rejects.files.get(table.path, FileCount()) for table, _ in job.source.tables]
    counts.rows = n_rows = sum(file.rows for file in files)
    counts.bad_rows = n_bad = sum(file.bad.total() for file in files)
    counts.item_rows = sum(file.rows for file in rejects.files.values()) - n_rows
    counts.bad_item_rows = rejects.total - n_bad
    for about in job.inputs:
        count = rejects.files.get(about.pop("path"), FileCount())
        about |= {"rows": count.rows, "bad_rows": count.bad.total()}
    try:
        rejects.check(max_bad, work.target("rejected.csv"))
        if good_rows == 0:
            raise DataError(f"no row of the log is an event ({n_rows:,} rows read, {n_bad:,} bad)")
    except DataError:
        if rejects.total:
            work.publish("rejected.csv")
        raise


def _write(
    job: Conversion,
    runs: SortedRuns,
    collector: ItemCollector | None,
    items: Items | None,
    work: Workspace,
) -> None:
    """Write all files to the workspace."""
    source = job.source
    origin = 0 if source.is_relative else midnight_before(runs.earliest, source.time_zone)
    job.origin = "an unknown moment" if source.is_relative else as_text(origin, source.time_zone)
    if wrong := _odd_times(source, runs):
        job.notes.insert(0, f"the times look wrong: {wrong}")
    if items and items.listings is not None and not source.is_relative:
        ended = unknown_stays(items.listings, origin)
        far = far_away(items.listings, runs.earliest, runs.latest, source.time_zone)
        job.notes += [note for note in (ended, far) if note]
    write_events(job, runs, items, origin, work)
    if collector:
        write_items(job, collector, items, origin, runs.whole_seconds, work)
    record = json.dumps(job.record(), indent=2, ensure_ascii=False)
    work.path("source.json").write_text(record + "\n", encoding="utf-8")


def _odd_times(source: Source, runs: SortedRuns) -> str | None:
    if source.is_relative:
        return suspicious(runs.sample(), None)
    is_told = source.options.get("time_format", "auto") != "auto"
    return odd(runs.sample(), source.layout.time_format, is_told, source.time_zone)

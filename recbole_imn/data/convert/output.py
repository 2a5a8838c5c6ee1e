"""Writing the atomic files of a conversion."""

from __future__ import annotations

import numpy as np
import polars as pl
from tqdm import tqdm

from recbole_imn.data.convert.items import ItemCollector, Items, item_table, seconds
from recbole_imn.data.convert.sorting import SortedRuns
from recbole_imn.data.convert.summary import Conversion, Counts
from recbole_imn.data.convert.workspace import HashedFile, Workspace

# Events equal in these are duplicates.
KEY = ("user_id", "item_id", "time", "behavior", "purchase")


def write_events(job: Conversion, runs: SortedRuns, origin: int, work: Workspace) -> None:
    """Write the ``.inter`` file in order of time.

    Parameters
    ----------
    job : Conversion
        Gets the counts, and size and sum of the file.
    runs : SortedRuns
    origin : int
        Moment that times count from, microseconds since 1970.
    work : Workspace
    """
    types = job.source.layout.event_types
    header = "\t".join(f"{name}:{kind}" for name, kind in types.items())
    with (
        work.path("inter").open("wb") as file,
        tqdm(total=runs.rows, unit="row", unit_scale=True, desc="writing", disable=None) as bar,
    ):
        target = HashedFile(file)
        target.write(f"{header}\n".encode())
        for events in runs.merged():
            kept = _without_duplicates(events, job.counts, job.duplicates)
            _count(kept, job.counts)
            time = seconds(kept["time"], origin, runs.whole_seconds)
            table = kept.with_columns(timestamp=time).select(list(types))
            text = table.write_csv(separator="\t", include_header=False, quote_style="never")
            target.write(text.encode())
            bar.update(len(events))
    job.outputs[work.path("inter").name] = target.about


def _without_duplicates(events: pl.DataFrame, counts: Counts, rule: str) -> pl.DataFrame:
    """Count events equal to an earlier one, and leave them out if the rule says so."""
    key = [name for name in KEY if name in events.columns]
    if rule == "keep":
        counts.duplicates += len(events) - len(events.select(key).unique())
        return events
    distinct = events.unique(key, keep="first", maintain_order=True)
    counts.duplicates += len(events) - len(distinct)
    return distinct


def _count(events: pl.DataFrame, counts: Counts) -> None:
    counts.events += len(events)
    if "purchase" in events.columns:
        counts.purchases += int(events["purchase"].sum())
    # A range holds all events of its times, so no tie crosses its ends.
    same = np.diff(events["time"].to_numpy()) == 0
    counts.tied_events += int((np.append(same, False) | np.append(False, same)).sum())


def write_items(
    job: Conversion,
    collector: ItemCollector,
    extra: Items | None,
    span: tuple[int, int],
    work: Workspace,
) -> None:
    """Write the ``.item`` file.

    Parameters
    ----------
    job : Conversion
        Gets the counts, and size and sum of the file.
    collector : ItemCollector
        Items of the log.
    extra : Items or None
        What other files say of them.
    span : tuple of int
        Moment that times count from, and the log's last, microseconds since 1970.
    work : Workspace
    """
    items, job.counts.other_attributes = collector.result()
    types = {name: column.type for name, column in job.source.layout.item_columns.items()}
    table = item_table(items, types, extra, *span)
    job.counts.items = len(table)
    with work.path("item").open("wb") as file:
        target = HashedFile(file)
        target.write(table.write_csv(separator="\t", quote_style="never").encode())
    job.outputs[work.path("item").name] = target.about

"""Writing the atomic files of a conversion."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import polars as pl
from tqdm import tqdm

from recbole_imn.data.convert.ahead import in_order
from recbole_imn.data.convert.items import ItemCollector, Items, item_table, seconds
from recbole_imn.data.convert.shelf import OnShelf
from recbole_imn.data.convert.sorting import Range, SortedRuns
from recbole_imn.data.convert.summary import Conversion, Counts
from recbole_imn.data.convert.workspace import HashedFile, Workspace

# Events equal in these are duplicates.
KEY = ("user_id", "item_id", "time", "behavior", "purchase")


def write_events(
    job: Conversion, runs: SortedRuns, items: Items | None, origin: int, work: Workspace
) -> None:
    """Write the ``.inter`` file in order of time.

    Parameters
    ----------
    job : Conversion
        Gets the counts, and size and sum of the file.
    runs : SortedRuns
    items : Items or None
        What files beside the log say of items.
    origin : int
        Moment that times count from, microseconds since 1970.
    work : Workspace
    """
    shelf = OnShelf(items.listings) if items and items.listings is not None else None
    types = job.source.layout.event_types
    header = "\t".join(f"{name}:{kind}" for name, kind in types.items())
    with (
        work.path("inter").open("wb") as file,
        tqdm(total=runs.rows, unit="row", unit_scale=True, desc="writing", disable=None) as bar,
    ):
        target = HashedFile(file)
        target.write(f"{header}\n".encode())

        def lay_out(pieces: Range) -> tuple[Counts, BytesIO]:
            counts, events = _without_duplicates(runs.merge(pieces), job.duplicates)
            if shelf:
                counts.off_shelf, counts.purchases_off_shelf = shelf.missed(events)
            time = seconds(events["time"], origin, runs.whole_seconds)
            table = events.with_columns(timestamp=time).select(list(types))
            text = BytesIO()
            table.write_csv(text, separator="\t", include_header=False, quote_style="never")
            return counts, text

        for counts, text in in_order(lay_out, runs.ranges()):
            target.write(text.getbuffer())
            job.counts.add(counts)
            bar.update(counts.rows)
    job.outputs[work.path("inter").name] = target.about


def _without_duplicates(events: pl.DataFrame, rule: str) -> tuple[Counts, pl.DataFrame]:
    """Give counts of a range, and its events without duplicates if the rule says so."""
    key = [name for name in KEY if name in events.columns]
    if rule == "keep":
        # Counting hashes of 64 bits is several times faster than comparing rows.
        kept, n_distinct = events, events.select(pl.struct(key).hash().n_unique()).item()
    else:
        kept = events.unique(key, keep="first", maintain_order=True)
        n_distinct = len(kept)
    counts = Counts(
        rows=len(events),
        events=len(kept),
        duplicates=len(events) - n_distinct,
        tied_events=_tied(kept),
        purchases=int(kept["purchase"].sum()) if "purchase" in kept.columns else 0,
        purchases_by_action=_purchased(kept),
    )
    return counts, kept


def _purchased(events: pl.DataFrame) -> dict[str, int]:
    """Count purchases by action."""
    if not {"purchase", "behavior"} <= set(events.columns):
        return {}
    actions = events.filter(pl.col("purchase") == 1)["behavior"].value_counts()
    return {str(action): int(count) for action, count in sorted(actions.iter_rows())}


def _tied(events: pl.DataFrame) -> int:
    """Count events that share their time; a range holds all events of its times."""
    same = np.diff(events["time"].to_numpy()) == 0
    return int((np.append(same, False) | np.append(False, same)).sum())


def write_items(
    job: Conversion,
    collector: ItemCollector,
    extra: Items | None,
    origin: int,
    whole_seconds: bool,
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
    origin : int
        Moment that times count from, microseconds since 1970.
    whole_seconds : bool
        Whether all events are at whole seconds.
    work : Workspace
    """
    items, job.counts.other_attributes = collector.result()
    types = {name: column.type for name, column in job.source.layout.item_columns.items()}
    table = item_table(items, types, extra, origin, whole_seconds)
    job.counts.items = len(table)
    job.counts.items_without_events = len(table) - len(items)
    if extra is not None:
        _count_files(job.counts, extra, items, table["item_id:token"])
    with work.path("item").open("wb") as file:
        target = HashedFile(file)
        target.write(table.write_csv(separator="\t", quote_style="never").encode())
    job.outputs[work.path("item").name] = target.about


def _count_files(counts: Counts, extra: Items, items: pl.DataFrame, written: pl.Series) -> None:
    """Count what files beside the log told, and what they did not."""
    counts.repeated_item_rows, counts.differing_item_rows = extra.repeated, extra.differing
    counts.items_of_log_only = len(items.join(extra.ids(), on="item_id", how="anti"))
    is_lost = ~extra.attributes["item_id"].is_in(written.implode())
    counts.images_left_out = int(is_lost.sum())

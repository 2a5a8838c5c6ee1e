"""New events observed in chunks; one that cannot be taken is told with its file and line."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
from tqdm import tqdm

from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.errors import DataError, ServingError
from recbole_imn.serving.packing import in_parts
from recbole_imn.serving.policies import Observed
from recbole_imn.serving.recommender import Recommender
from recbole_imn.serving.snapshot import EVENT_FIELDS
from recbole_imn.serving.times import LogSeconds
from recbole_imn.session.replay import REPLAY_WINDOW

Columns = dict[str, list[Any]]


def observe_events(recommender: Recommender, events: pl.DataFrame, progress: bool) -> Observed:
    """Let a recommender observe the events of files.

    Parameters
    ----------
    recommender : Recommender
    events : DataFrame
        From :func:`~recbole_imn.serving.updating.reading.read_events`, new ones alone.
    progress : bool
        Whether to show a bar.

    Raises
    ------
    DataError
        For the first event that cannot be taken.
    """
    accepted, dropped = 0, Counter[str]()
    with tqdm(total=len(events), unit="event", desc="observing", disable=not progress) as bar:
        for start in range(0, len(events), REPLAY_WINDOW):
            chunk = events.slice(start, REPLAY_WINDOW)
            seen = _observe(recommender, chunk)
            accepted += seen.accepted
            dropped.update(seen.dropped)
            # Whoever reads anything makes states move on.
            _ = recommender.attributes
            bar.update(len(chunk))
    return Observed(accepted, dict(dropped), recommender.position)


def _observe(recommender: Recommender, chunk: pl.DataFrame) -> Observed:
    columns = columns_of_events(recommender, chunk)
    try:
        return recommender.observe_many(columns)
    except ServingError as error:
        # One by one, the first that cannot be taken says what is wrong with it alone.
        for place in range(len(chunk)):
            row = {name: cells[place : place + 1] for name, cells in columns.items()}
            try:
                recommender.observe_many(row)
            except ServingError as reason:
                file, line = chunk["file"][place], chunk["line"][place]
                raise DataError(f"{file}, line {line}: {reason}") from error
        raise


def columns_of_events(recommender: Recommender, events: pl.DataFrame) -> Columns:
    """Give events as columns that :meth:`Recommender.observe_many` takes."""
    maps = recommender.market.snapshot.feature_maps
    kinds = field_kinds([maps[key] for key in EVENT_FIELDS])
    columns: Columns = {}
    for name in events.columns:
        if name in ("file", "line"):
            continue
        cells = events[name].to_list()
        if name == "time":
            cells = [LogSeconds(seconds) for seconds in cells]
        elif events[name].dtype == pl.String and name not in ("user", "item"):
            cells = [read_cell(text, kinds.get(name, "token")) for text in cells]
        columns[name] = cells
    return columns


def field_kinds(maps: list[FeatureMap]) -> dict[str, str]:
    """Give the kinds of the fields that a model reads, by name."""
    return {field.name: field.kind for found in maps for field in found.fields}


def read_cell(text: str | None, kind: str) -> Any:
    """Read a cell of a field as an atomic file would have it; None where it is empty."""
    # What is no number is refused with the field's name by whoever takes it.
    return in_parts(text, kind) or None

"""Logs that are derived from another one, for what a shop's log may be like at its worst.

Every log is a table of text with the columns of a ``.inter`` file, in time order; what is
derived keeps that order.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_imn.files import replace_text

USER, ITEM, TIME, PURCHASE = (
    "user_id:token", "item_id:token", "timestamp:float", "purchase:float",
)  # fmt: skip
DAY = 86_400
LAST_SHARE = 0.2


def read_log(file: Path) -> pd.DataFrame:
    """Read a log as text, sorted by time; equal times keep the order of the file."""
    log = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
    order = np.argsort(log[TIME].astype(float).to_numpy(), kind="stable")
    return log.iloc[order].reset_index(drop=True)


def write_log(log: pd.DataFrame, folder: Path) -> None:
    """Write FOLDER/NAME.inter, where NAME is the folder's own."""
    folder.mkdir(parents=True, exist_ok=True)
    text = log.to_csv(sep="\t", index=False, lineterminator="\n")
    file = folder / f"{folder.name}.inter"
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        replace_text(file, text)


def is_repeat(log: pd.DataFrame) -> pd.Series:
    """Say of each event whether it repeats the item of its user's previous event."""
    return log.groupby(USER, sort=False)[ITEM].shift() == log[ITEM]


def without_repeats(log: pd.DataFrame) -> pd.DataFrame:
    """Keep the first event of each run of a user's events with one item."""
    return log[~is_repeat(log)]


def repeats_only(log: pd.DataFrame) -> pd.DataFrame:
    """Keep the runs of two or more: events that repeat, and the first one that they repeat."""
    repeats = is_repeat(log)
    repeated = repeats.groupby(log[USER], sort=False).shift(-1, fill_value=False)
    return log[repeats | repeated]


def day_ticks(log: pd.DataFrame) -> pd.DataFrame:
    """Round times down to days; within a day only the order is left."""
    days = np.floor(log[TIME].astype(float) / DAY) * DAY
    return log.assign(**{TIME: days.astype(np.int64).astype(str)})


def purchases_only(log: pd.DataFrame) -> pd.DataFrame:
    """Keep purchases."""
    if PURCHASE not in log:
        return log.iloc[:0]
    return log[log[PURCHASE].astype(float) > 0]


def renamed(log: pd.DataFrame) -> pd.DataFrame:
    """Give every item of the last fifth of the events another name, the same throughout."""
    late = np.arange(len(log)) >= len(log) - round(LAST_SHARE * len(log))
    return log.assign(**{ITEM: log[ITEM].where(~late, "new " + log[ITEM])})


DERIVED: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "as_it_is": ("the log as it is", lambda log: log),
    "no_repeats": ("immediate repeats removed", without_repeats),
    "repeats": ("only immediate repeats, and what they repeat", repeats_only),
    "days": ("times rounded down to days", day_ticks),
    "purchases": ("purchases only", purchases_only),
    "renamed": ("every item renamed in the last fifth", renamed),
}

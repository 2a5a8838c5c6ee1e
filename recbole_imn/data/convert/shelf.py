"""Whether items were for sale when the log has events of them."""

from __future__ import annotations

import polars as pl

from recbole_imn.data.convert.times import SECOND, as_text

_YEAR = 31_557_600 * SECOND
# What is for sale for longer before a log begins is hardly told by its shop.
MOST_YEARS_BEFORE = 10
MOST_YEARS_AFTER = 1
_FIRST, _LAST = -(2**62), 2**62


class OnShelf:
    """Tells events of items that were not for sale at their times.

    Parameters
    ----------
    listings : DataFrame
        As in :class:`~recbole_imn.data.convert.items.Items`.
    """

    def __init__(self, listings: pl.DataFrame) -> None:
        self._stays = _united(listings)

    def missed(self, events: pl.DataFrame) -> tuple[int, int]:
        """Count events, and purchases among them, of items that were not for sale then.

        Parameters
        ----------
        events : DataFrame
            ``item_id``, ``time`` in order, and ``purchase`` where the log has it.
        """
        names = [name for name in ("item_id", "time", "purchase") if name in events.columns]
        # Both sides are in order of time, which polars cannot tell of groups.
        found = events.select(names).join_asof(
            self._stays,
            left_on="time",
            right_on="start",
            by="item_id",
            check_sortedness=False,
        )
        off = found.filter(~(pl.col("end") >= pl.col("time")).fill_null(False))
        return len(off), int(off["purchase"].sum()) if "purchase" in off.columns else 0


def _united(listings: pl.DataFrame) -> pl.DataFrame:
    """Give stays without open ends, those of an item that overlap as one, in order of start."""
    start, end = pl.col("start").fill_null(_FIRST), pl.col("end").fill_null(_LAST)
    stays = listings.select("item_id", start=start, end=end).sort("item_id", "start")
    before = pl.col("end").cum_max().shift(1).over("item_id")
    number = (pl.col("start") > before).fill_null(True).cum_sum()
    united = stays.group_by(number.alias("number")).agg(
        pl.col("item_id").first(), pl.col("start").first(), pl.col("end").max()
    )
    return united.drop("number").sort("start")


def ended_before(origin: int) -> pl.Expr:
    """Tell which stays of unknown beginning ended before a log, and so before it knows of any."""
    return pl.col("start").is_null() & (pl.col("end") < origin).fill_null(False)


def unknown_stays(listings: pl.DataFrame, origin: int) -> str | None:
    """Say how many stays are not written, since nobody knows when they began.

    Parameters
    ----------
    listings : DataFrame
        As in :class:`~recbole_imn.data.convert.items.Items`.
    origin : int
        Moment that times of the log count from, microseconds since 1970.
    """
    ended = listings.filter(ended_before(origin))
    if ended.is_empty():
        return None
    return (
        f"{len(ended):,} of {len(listings):,} stays on the shelf ended before the log and have no "
        f"beginning; they are left out, the first is of item {ended['item_id'][0]!r}"
    )


def far_away(listings: pl.DataFrame, earliest: int, latest: int, time_zone: str) -> str | None:
    """Say which stays lie years away from a log, as times do that were read wrongly.

    Parameters
    ----------
    listings : DataFrame
        As in :class:`~recbole_imn.data.convert.items.Items`.
    earliest, latest : int
        Of the log, microseconds since 1970.
    time_zone : str
        In which they are told.
    """
    start, end = pl.col("start"), pl.col("end")
    is_far = (
        (start < earliest - MOST_YEARS_BEFORE * _YEAR)
        | (start > latest + MOST_YEARS_AFTER * _YEAR)
        | (end < earliest - MOST_YEARS_BEFORE * _YEAR)
    )
    far = listings.filter(is_far.fill_null(False))
    if far.is_empty():
        return None
    item, begins, ends = far.row(0)
    moments = {"listed": begins, "delisted": ends}
    told = " and ".join(
        f"{what} {_day(time, time_zone)}" for what, time in moments.items() if time is not None
    )
    return (
        f"{len(far):,} of {len(listings):,} stays on the shelf lie years away from the log, which "
        f"is of {_day(earliest, time_zone)} to {_day(latest, time_zone)}; the first is of item "
        f"{item!r}, {told}; if that is wrong, write the format of these times in a mapping, "
        "items: {time_format: PATTERN}"
    )


def _day(time: int, time_zone: str) -> str:
    try:
        return as_text(time, time_zone)[:10]
    except OverflowError:
        return f"{time // SECOND} seconds since 1970"

"""What the columns of a table of items hold: numbers, times or words.

Nobody has said what they mean, so the whole column is looked at, never a sample. Only a column
in which every cell that is not empty can be read as a number or time becomes one. Whole numbers
stay words where they name something: with a leading zero, with more than 15 digits, or in a
column called an id or a code. A year is a number. A column with line ends or tabs inside its
cells is text that no atomic file can hold; where they are rare, the rows are faults.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from recbole_imn.data.convert.column_names import names_something, tells_time
from recbole_imn.data.convert.header import EMPTY_WORDS
from recbole_imn.data.convert.rows import BROKEN, CONTROL
from recbole_imn.data.convert.source import MAX_BAD
from recbole_imn.data.convert.times import PATTERNS, UNITS, find_format, parse_times
from recbole_imn.errors import DataError

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$"
# Numbers as people write them: with signs of money, per cent, and marks between thousands.
_WRITTEN = (
    r"^[+-]?(\p{Sc}|[A-Z]{3} )? ?[0-9]{1,3}([.,' ]?[0-9]{3})*([.,][0-9]+)?"
    r" ?(\p{Sc}|%|EUR|USD|GBP|CHF|JPY|CNY|RMB|km|mi)?$"
)
_NAMED_BY_NUMBER = r"^[+-]?0[0-9]|^[0-9]{16,}$"
SAMPLE = 1_000
# Share of numbers from which a column of words is likely to have been meant as numbers.
MOST_NUMBERS = 0.5
_YEAR_1990, _YEAR_2100 = 631_152_000, 4_102_444_800


@dataclass(frozen=True)
class Kind:
    """What a column holds.

    Attributes
    ----------
    type : {"token", "float", "time", ""}
        Empty for what no atomic file can hold, or for nothing at all.
    odd : str
        The first cell that is no number, where most are.
    why_none : str
        Why it is nothing, where the type is empty.
    """

    type: str
    odd: str = ""
    why_none: str = ""


def values_of(cells: pl.Series) -> pl.Series:
    """Give cells that are not empty, nor a word for it."""
    cells = cells.str.strip_chars()
    return cells.filter(~cells.str.to_lowercase().is_in(list(EMPTY_WORDS)))


def kind_of(name: str, cells: pl.Series, time_zone: str, likely: str = "auto") -> Kind:
    """Tell what a column of strings holds.

    Parameters
    ----------
    name : str
    cells : Series of str
    time_zone : str
    likely : str
        A format of times that others of the shop have; ``auto`` if none is known.
    """
    values = values_of(cells)
    broken = cells.str.contains_any(list(CONTROL + BROKEN)).sum()
    if values.is_empty():
        return Kind("", why_none="empty")
    if broken > MAX_BAD * len(cells):
        return Kind("", why_none=f"tabs, line ends or broken signs in {broken:,} cells")
    is_number = values.str.contains(_NUMBER)
    if is_number.all():
        return _kind_of_numbers(name, values, time_zone, likely)
    like_numbers = int((is_number | values.str.contains(_WRITTEN)).sum())
    is_odd = like_numbers >= MOST_NUMBERS * len(values)
    odd = str(values.filter(~is_number)[0]) if is_odd else ""
    return replace(_times(values, time_zone, likely, (*PATTERNS, likely)), odd=odd)


def _kind_of_numbers(name: str, values: pl.Series, time_zone: str, likely: str) -> Kind:
    # A day may begin with a zero.
    if tells_time(name) and (kind := _times(values, time_zone, likely)).type == "time":
        return kind
    if values.str.contains(_NAMED_BY_NUMBER).any():
        return Kind("token")
    is_name = names_something(name) and values.str.contains(r"^[0-9]+$").all()
    is_finite = values.cast(pl.Float64).is_finite().all()
    return Kind("float") if is_finite and not is_name else Kind("token")


def _times(values: pl.Series, time_zone: str, likely: str, formats: tuple[str, ...] = ()) -> Kind:
    """Tell times; numbers are some only if they lie in this time."""
    try:
        found = find_format(values.head(SAMPLE).to_list(), time_zone, likely)
    except DataError:
        return Kind("token")
    if formats and found not in formats:
        return Kind("token")
    times = pl.select(parse_times(pl.lit(values), found, time_zone)).to_series()
    if times.null_count():
        return Kind("token")
    limits = (_YEAR_1990 * 10**6, _YEAR_2100 * 10**6)
    is_likely = found not in UNITS or times.is_between(*limits).all()
    return Kind("time") if is_likely else Kind("token")

"""Patterns of times as people write them in Python, in the terms of the parser behind polars.

The parser (chrono) differs from Python's ``strptime``: a bare ``%f`` counts nanoseconds, a
pattern without a minute or a day is refused, names of time zones are read and forgotten. Whether
a pattern has a clock, a day or an offset is told by its directives, never by one spelling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from recbole_imn.errors import DataError

_DIRECTIVE = re.compile(r"%([-_0#^]|:+|\.\d?|\d)?([A-Za-z%+])")
_KNOWN = frozenset("YCymbBhdeaAwuUWGgVjDxFvHkIlPpMSfRTXrZzc+stn%")
_YEAR, _MONTH = frozenset("YyGgDFcxs+v"), frozenset("mbBhjDFcxs+vUWV")
_DAY = frozenset("dejDFcxs+vUWV")
_HOUR, _MINUTE = frozenset("HkIlTRXrcs+"), frozenset("MTRXrcs+")
# Names of zones that mean one offset everywhere; CST, IST and BST mean several.
_HOURS_AHEAD = {
    "UTC": 0, "UT": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11,
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
# A zone in brackets, as JavaScript names it behind the offset.
_NAME = r"\s*\(%Z\)"
ZONES = {name: f"{hours:+03d}00" for name, hours in _HOURS_AHEAD.items()}


@dataclass(frozen=True)
class Pattern:
    """A pattern for the parser.

    Attributes
    ----------
    chrono : str
        What polars is given.
    tail : str
        Put behind every cell: the day or minute that the pattern lacks.
    zone : {"clock", "offset", "name", "UTC"}
        Where the offset from UTC comes from: the place where the clock hung, the cell's offset,
        the cell's name of a zone, or a pattern that counts from 1970 in UTC.
    fraction_sign : str
        What stands before a fraction of a second, if it is no dot.
    span : {"", "1d", "1mo", "1y"}
        How long a reading lasts that names no time of day: the day, month or year that it names.
    skipped_names : tuple of {"behind", "before"}
        Where cells name the zone beside its offset: in brackets, or right before it.
    """

    chrono: str
    tail: str = ""
    zone: str = "clock"
    fraction_sign: str = ""
    span: str = ""
    skipped_names: tuple[str, ...] = ()


def translate(pattern: str) -> Pattern:
    """Translate a pattern.

    Raises
    ------
    DataError
        For an unknown directive, or a pattern that leaves the moment open.
    """
    found = _DIRECTIVE.findall(pattern)
    letters = {letter for _, letter in found}
    _require_sense(pattern, letters)
    chrono, sign = _with_fraction(_with_zone_name(pattern))
    letters |= {letter for _, letter in _DIRECTIVE.findall(chrono)}
    chrono = re.sub("%z", "%#z", chrono)
    zone = "offset" if letters & set("z+") else "UTC" if "s" in letters else "clock"
    if "Z" in letters and zone == "offset":
        # The name says no more than the offset; the parser passes over it up to the next space.
        chrono, is_named = re.subn(_NAME, "", chrono)
        chrono, is_joined = re.subn("%Z(?=%#?z)", "", chrono)
        skipped = ("behind",) * is_named + ("before",) * is_joined
        return replace(_filled(chrono, letters, zone, sign), skipped_names=skipped)
    if "Z" in letters:
        chrono, zone = chrono.replace("%Z", "") + " %#z", "name"
        return _filled(chrono, letters, zone, sign)
    return _filled(chrono, letters, zone, sign)


def _require_sense(pattern: str, letters: set[str]) -> None:
    unknown = sorted(letters - _KNOWN)
    if unknown or "%" in _DIRECTIVE.sub("", pattern):
        what = f"%{unknown[0]}" if unknown else "a lonely %"
        raise DataError(f"the time format {pattern!r} makes no sense: {what} is no directive")
    if not letters & _YEAR:
        raise DataError(f"the time format {pattern!r} makes no sense: it has no year")
    if letters & set("Il") and not letters & set("pPr"):
        raise DataError(
            f"the time format {pattern!r} makes no sense: a clock of twelve hours (%I) needs %p"
        )


def _with_zone_name(pattern: str) -> str:
    """Read a zone that is spelled out at the end as one: ``...%SZ`` and ``... UTC``."""
    return re.sub(r"(?<=[A-Za-z])( ?)(?<!%)(Z|UTC|GMT)$", r"\1%Z", pattern)


def _with_fraction(pattern: str) -> tuple[str, str]:
    """Let ``%f`` mean a fraction of any length, and give the sign before it."""
    pattern = pattern.replace(".%f", "%.f")
    bare = re.search(r"(.?)%f", pattern)
    if not bare:
        return pattern, ""
    sign = bare.group(1)
    if sign.isalnum() or sign in ("", "%"):
        raise DataError(
            f"the time format {pattern!r} makes no sense: write %3f, %6f or %9f for a fraction of "
            "so many digits without a sign before it"
        )
    return pattern.replace(f"{sign}%f", "%.f"), sign


def _filled(chrono: str, letters: set[str], zone: str, sign: str) -> Pattern:
    """Add what the parser needs and the pattern lacks: the first day, the full hour."""
    lacks = [
        (" %m", " 01", not letters & _MONTH),
        (" %d", " 01", not letters & _DAY),
        (" %M", " 00", bool(letters & _HOUR) and not letters & _MINUTE),
    ]
    chrono += "".join(directive for directive, _, is_lacking in lacks if is_lacking)
    tail = "".join(text for _, text, is_lacking in lacks if is_lacking)
    return Pattern(chrono, tail, zone, sign, _span(letters))


def _span(letters: set[str]) -> str:
    if letters & _HOUR:
        return ""
    return "1d" if letters & _DAY else "1mo" if letters & _MONTH else "1y"

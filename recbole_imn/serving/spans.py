"""Spans of time and ranks in words."""

from __future__ import annotations

from recbole_imn.units import DAY

UNITS = (("day", DAY), ("hour", 3600.0), ("minute", 60.0))


def ago(seconds: float) -> str:
    """Say how long ago something was: '2 hours ago', in the largest unit that fits."""
    for name, size in UNITS:
        if seconds >= size:
            return f"{counted(int(seconds // size), name)} ago"
    return "just now" if seconds < 1 else f"{counted(int(seconds), 'second')} ago"


def counted(number: int, noun: str) -> str:
    """Say a number of things: '1 event', '2 events'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ordinal(number: int) -> str:
    """Say a rank: '1st', '2nd', '11th'."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"

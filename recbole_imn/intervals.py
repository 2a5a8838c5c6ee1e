"""Intervals as RecBole's settings have them, such as ``[3,inf)``."""

from __future__ import annotations

from recbole_imn.errors import SettingsError

#: Bracket, ends, bracket.
Interval = tuple[str, float, float, str]


def read_intervals(text: str) -> list[Interval]:
    """Read intervals with ``;`` between.

    Raises
    ------
    SettingsError
        If one of them is none.
    """
    return [_interval(part.strip()) for part in text.split(";")]


def _interval(text: str) -> Interval:
    try:
        left, right = (float(end) for end in text[1:-1].split(","))
    except ValueError:
        left, right = 1.0, 0.0
    if not (left <= right and text[0] in "([" and text[-1] in "])"):
        raise SettingsError(
            f"{text!r} is no interval; write [3,inf) or (0,10], several with ; between"
        )
    return text[0], left, right, text[-1]

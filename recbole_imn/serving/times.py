"""Times of people and of shops as seconds of a log, and back."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from numbers import Real
from typing import Any

import numpy as np

from recbole_imn.data.time_range import LONGEST_SPAN, YEAR
from recbole_imn.errors import ServingError
from recbole_imn.validation import shown

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class LogSeconds(float):
    """A moment in seconds of the log itself, which is taken as it is, to the last bit."""


@dataclass(frozen=True)
class LogClock:
    """Turns moments into the seconds of a log.

    Attributes
    ----------
    origin : float or None
        Epoch seconds of the log's second 0. None where nobody knows: then numbers are seconds
        of the log, and dates are refused.
    """

    origin: float | None

    def seconds(self, moment: Any) -> float:
        """Give a moment as seconds of the log.

        Parameters
        ----------
        moment : float, int, datetime, date, numpy.datetime64, pandas.Timestamp, str or LogSeconds
            A number is epoch seconds; text is ISO 8601 or a number. Without a time zone a date
            is UTC.

        Raises
        ------
        ServingError
            If it is no moment.
        """
        if isinstance(moment, str):
            moment = _read(moment)
        if isinstance(moment, np.datetime64):
            moment = moment.astype("datetime64[us]").item()
        if isinstance(moment, date):
            return self._of_date(moment)
        number = _number(moment)
        if math.isfinite(number):
            return number if isinstance(moment, LogSeconds) else number - (self.origin or 0.0)
        raise ServingError(
            f"{shown(moment)} is no moment; give epoch seconds, a datetime or ISO 8601 text"
        )

    def _of_date(self, moment: date) -> float:
        if self.origin is None:
            raise ServingError(
                f"{moment} is a date, but nobody knows when the log's time 0 was; give the "
                "seconds of the log"
            )
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
        try:
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
            # An interval, since a float of epoch seconds may lose the last microsecond.
            seconds = (zoned - EPOCH - timedelta(seconds=self.origin)).total_seconds()
        except (ValueError, TypeError, OverflowError) as error:
            raise ServingError(f"{moment!r} is no moment") from error
        if not math.isfinite(seconds):
            # The date of pandas that is none.
            raise ServingError(f"{moment!r} is no moment")
        return seconds

    def now(self) -> float | None:
        """Give the present by the machine's clock; None where the origin is not known."""
        return None if self.origin is None else time.time() - self.origin

    def present(self) -> float:
        """Give the present by the machine's clock.

        Raises
        ------
        ServingError
            If nobody knows when the log began.
        """
        now = self.now()
        if now is None:
            raise ServingError("nobody knows when the log began, so that 'now' is no time of it")
        return now

    def text(self, seconds: float) -> str:
        """Give a moment of the log as ISO 8601 in UTC, or as its seconds."""
        if self.origin is None:
            return f"{seconds:g} s"
        try:
            moment = EPOCH + timedelta(seconds=self.origin) + timedelta(seconds=seconds)
        except OverflowError:
            return f"{seconds:g} s"
        return moment.isoformat()


def require_near(seconds: float, last: float, moment: Any, also_before: bool = False) -> None:
    """Refuse a moment centuries after the last event, as milliseconds taken for seconds are.

    Parameters
    ----------
    seconds, last : float
        Of the log; -infinity before the first event.
    moment : moment
        As it was given.
    also_before : bool
        Whether centuries before it are refused as well.

    Raises
    ------
    ServingError
    """
    if not math.isfinite(last):
        return
    later = seconds - last
    if later > LONGEST_SPAN or (also_before and later < -LONGEST_SPAN):
        side = "after" if later > 0 else "before"
        raise ServingError(
            f"{shown(moment)} is {abs(later) / YEAR:,.0f} years {side} the "
            "last event; times are in seconds, not milliseconds, or ISO 8601"
        )


def _number(moment: Any) -> float:
    """Give a number as a float; what is none, or too large for one, as nan."""
    if not isinstance(moment, Real) or isinstance(moment, bool):
        return math.nan
    try:
        return float(moment)
    except OverflowError:
        return math.nan


def _read(text: str) -> datetime | float:
    """Read ISO 8601, or a number."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        # Python 3.10 knows no Z.
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise ServingError(
            f"{text!r} is no moment; give epoch seconds or ISO 8601 such as 2026-11-25T18:30:00Z"
        ) from error

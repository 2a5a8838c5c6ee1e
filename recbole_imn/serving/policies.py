"""What happens to events that come late, twice, or from the future."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from recbole_imn.errors import ServingError
from recbole_imn.serving.checks import is_number
from recbole_imn.validation import shown

Untimely = Literal["refuse", "drop", "now"]
Repeated = Literal["refuse", "drop", "accept"]


@dataclass(frozen=True)
class Policies:
    """Rules for events; a log is in order of time and is never changed.

    Attributes
    ----------
    late : {'refuse', 'drop', 'now'}
        For an event earlier than the last one. 'now' takes it as having happened at the time
        of the last one.
    duplicate : {'refuse', 'drop', 'accept'}
        For an event equal to one before in user, item, time and behaviour.
    future : {'refuse', 'drop', 'now'}
        For an event later than the clock of this machine. 'now' takes it as of the present.
    future_tolerance : float
        Seconds by which clocks may differ.

    Raises
    ------
    ServingError
        If a rule is none of these.
    """

    late: Untimely = "refuse"
    duplicate: Repeated = "drop"
    future: Untimely = "refuse"
    future_tolerance: float = 300.0

    def __post_init__(self) -> None:
        """Refuse what is no rule."""
        for name, kind in (("late", Untimely), ("duplicate", Repeated), ("future", Untimely)):
            value = getattr(self, name)
            if value not in get_args(kind):
                raise ServingError(f"{name} is {value!r}; it must be one of {get_args(kind)}")
        if not is_number(self.future_tolerance) or not self.future_tolerance >= 0:
            raise ServingError(
                f"future_tolerance is {shown(self.future_tolerance)}, not 0 seconds or more"
            )


@dataclass(frozen=True)
class Observed:
    """What became of some events.

    Attributes
    ----------
    accepted : int
    dropped : dict of str to int
        How many were left out, by reason: late, duplicate, future.
    position : int
        Events of the log after them.
    """

    accepted: int
    dropped: dict[str, int] = field(default_factory=dict)
    position: int = 0

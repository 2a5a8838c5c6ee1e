"""Places in a run, and the time between the states that are kept of it."""

from __future__ import annotations

from typing import Any

from recbole_imn.errors import SettingsError

# Epoch and batch of a run whose training is finished and which is yet to be tested.
TRAINED = (2**31, 0)


def told_place(position: tuple[int, int]) -> str:
    """Say where an epoch and a batch are in a run."""
    epoch, batch = position
    if epoch < 0:
        return "before its beginning"
    if position == TRAINED:
        return "after training, before its test"
    return f"in epoch {epoch}" + (f" after batch {batch}" if batch else " at its beginning")


def seconds_between(config: Any) -> float:
    """Give the time between states inside an epoch; 0 for none.

    Raises
    ------
    SettingsError
        If it is no time.
    """
    minutes = config["resume_minutes"]
    if minutes is None or (type(minutes) in (int, float) and minutes >= 0):
        return 60.0 * (minutes or 0)
    raise SettingsError(f"resume_minutes is {minutes!r}; it must be 0 or above, or None for none")

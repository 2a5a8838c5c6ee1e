"""Units of time."""

from __future__ import annotations

#: Seconds; a whole number, so that what is counted in whole seconds stays whole.
DAY = 86_400

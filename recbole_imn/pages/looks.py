"""Colours of marks; a style sheet has a light and a dark form of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How the marks of a system, or of anything else, are drawn.

    Attributes
    ----------
    kind : str
        ``ours`` (in a colour of its own), ``baseline`` (grey) or ``plain`` (the page's colour).
    hue : int
        Degrees on the colour circle of OKLCH, of ``ours`` alone.
    """

    kind: str
    hue: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether it has a colour of its own."""
        return self.kind == "ours"


BASELINE = Look("baseline")
PLAIN = Look("plain")


def ours(hue: int) -> Look:
    """Give the look of a hue, in degrees."""
    return Look("ours", hue % 360)

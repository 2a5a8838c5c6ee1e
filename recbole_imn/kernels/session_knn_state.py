"""What the loops of SessionKNN walk, obey and write to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import exact

Ids = npt.NDArray[np.int32]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float32]
NONE = -1


class Walks(NamedTuple):
    """The log and the ways through it.

    Attributes
    ----------
    item : int32 [n_events]
    time : float64 [n_events]
        Seconds.
    of_user, of_item : int32 [n_events]
        The previous event of the same user, and of the same item; -1 for none.
    latest : int32 [n_items]
        The latest event of each item, or one that is later than all rows; -1 for none.
    first, following : int32 [n_events]
        The first event of the event's session, and the next one in it; -1 for none.
    """

    item: Ids
    time: Floats
    of_user: Ids
    of_item: Ids
    latest: Ids
    first: Ids
    following: Ids


class Rules(NamedTuple):
    """What the neighbourhood is made by.

    Attributes
    ----------
    longest_break : float
        Seconds between two events of a session, at most.
    extended_to : int
        With fewer current items, the user's earlier sessions add theirs.
    n_sampled, n_neighbours : int
        Sessions that are looked at, and the most similar ones of them that score.
    reminders : float64 [n_recent]
        What the r-th newest distinct item of the user's latest events gets; 0 events: none.
    item_weights : float64 [n_current + 1, n_current]
        Weight in the similarity of the r-th newest of so many current items.
    decay : float64 [n_current]
        Factor of a session by the newest current item that it shares.
    rarity : float64 [n_items]
        Factor of an item's score.
    popular : int64 [n_items]
        Places in the order of popularity, 0 for the most popular item; they break ties.
    is_cosine : bool
        Whether similarities are divided by the lengths of both sessions' vectors.
    fading : float
        Seconds in which a session's similarity falls to 1 / e; 0: it does not.
    reach : float
        Events in which the factor of a session's items falls to 1 / e, from the newest current
        item that it shares on, to both sides; 0: it does not.
    """

    longest_break: float
    extended_to: int
    n_sampled: int
    n_neighbours: int
    reminders: Floats
    item_weights: Floats
    decay: Floats
    rarity: Floats
    popular: Integers
    is_cosine: bool
    fading: float
    reach: float


class Scratch(NamedTuple):
    """What a row leaves as it found it, so that no other row sees it.

    Attributes
    ----------
    places : int64 [n_items]
        Place among the current items from 1, or 0.
    scores : float64 [n_items]
    seen : int64 [n_items]
        The latest walk that met the item; walks have numbers of their own.
    found : int64 [n_items]
        Items with a score, in no particular order.
    occupied : int64 [power of two]
        A table of the sampled sessions; -1 is an empty entry.
    """

    places: Integers
    scores: Floats
    seen: Integers
    found: Integers
    occupied: Integers


@exact
def make_scratch(n_items: int, n_sampled: int) -> Scratch:
    """Make empty tables for a catalogue and a number of sampled sessions."""
    size = 4
    while size < 2 * n_sampled:
        size *= 2
    return Scratch(
        np.zeros(n_items, np.int64),
        np.zeros(n_items, np.float64),
        np.full(n_items, NONE, np.int64),
        np.empty(n_items, np.int64),
        np.full(size, NONE, np.int64),
    )

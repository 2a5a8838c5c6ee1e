"""What own events, those who were there before, and the trend score: loops of ``local_global``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recbole_imn.baselines.orders import (
    Scores,
    Scratch,
    add,
    clear,
    make_scratch,
    rank_of,
)
from recbole_imn.kernels.compiled import exact
from recbole_imn.kernels.orders import write_order
from recbole_imn.log import Floats, Ids, Integers

# The user's latest distinct items whose successors count, the r-th one 1 / r.
ANCHORS = 3


class Walks(NamedTuple):
    """The log and the ways back through it.

    Attributes
    ----------
    item : int32 [n_events]
    of_user : int32 [n_events]
        The previous event of the same user; -1 for none.
    link : int32 [n_events]
        The previous event whose user came from the same item as this one's; -1 for none.
    """

    item: Ids
    of_user: Ids
    link: Ids


class Rules(NamedTuple):
    """How much counts what.

    Attributes
    ----------
    own : float64 [n_own]
        Of the user's r-th latest event.
    following : float64 [n_following]
        Of the r-th latest time that anybody went on from an item.
    following_weight, trend_weight : float
        Of all that followed, and of the trend, where own events have 1.
    places : int64 [n_items]
        By training popularity.
    """

    own: Floats
    following: Floats
    following_weight: float
    trend_weight: float
    places: Integers


@exact
def _add_own(event: int, walks: Walks, rules: Rules, scratch: Scratch, n_found: int) -> int:
    total, before = 0.0, walks.of_user[event]
    for step in range(len(rules.own)):
        if before < 0:
            break
        total += rules.own[step]
        before = walks.of_user[before]
    before = walks.of_user[event]
    for step in range(len(rules.own)):
        if before < 0:
            break
        n_found = add(walks.item[before], rules.own[step] / total, scratch, n_found)
        before = walks.of_user[before]
    return n_found


@exact
def _add_following(
    latest: int, weight: float, walks: Walks, rules: Rules, scratch: Scratch, n_found: int
) -> int:
    """Add what followed an item, from the latest time on back."""
    total, event = 0.0, latest
    for step in range(len(rules.following)):
        if event < 0:
            break
        total += rules.following[step]
        event = walks.link[event]
    event = latest
    for step in range(len(rules.following)):
        if event < 0:
            break
        value = weight * rules.following[step] / total
        n_found = add(walks.item[event], value, scratch, n_found)
        event = walks.link[event]
    return n_found


@exact
def _score_row(
    event: int,
    links: Ids,
    trend: Integers,
    shares: Floats,
    walks: Walks,
    rules: Rules,
    scratch: Scratch,
) -> int:
    """Score what a row finds; give how many items that are.

    Parameters
    ----------
    event : int
    links : int32 [n_items]
        The latest event before the row whose user came from each item; -1 for none.
    trend : int64 [n_trend]
    shares : float64 [n_trend]
    walks : Walks
    rules : Rules
    scratch : Scratch
    """
    n_found = _add_own(event, walks, rules, scratch, 0)
    n_anchors, n_own = 0, n_found
    # Own items were found newest first.
    while n_anchors < min(ANCHORS, n_own):
        weight = rules.following_weight / (1.0 + n_anchors)
        latest = links[scratch.found[n_anchors]]
        if weight > 0:
            n_found = _add_following(latest, weight, walks, rules, scratch, n_found)
        n_anchors += 1
    for slot in range(len(trend)):
        if trend[slot] == 0:
            break
        n_found = add(trend[slot], rules.trend_weight * shares[slot], scratch, n_found)
    return n_found


@exact
def _move(start: int, stop: int, walks: Walks, links: Ids) -> None:
    """Note who went on from which item in some events."""
    for event in range(start, stop):
        before = walks.of_user[event]
        if before >= 0:
            links[walks.item[before]] = event


@exact
def score_rows(
    events: Integers,
    order: Integers,
    trend: Integers,
    shares: Floats,
    walks: Walks,
    rules: Rules,
    out: Scores,
) -> None:
    """Write 1 to 2 for the items that rows find, by the order of their scores.

    Parameters
    ----------
    events : int64 [n]
        Rows; only what lies before each is read, and its user and time.
    order : int64 [n]
        Of the rows by their events.
    trend : int64 [n, n_trend]
    shares : float64 [n, n_trend]
    walks : Walks
    rules : Rules
    out : float32 [n, n_items]
        Other entries are left as they are.
    """
    scratch, position = make_scratch(len(rules.places)), 0
    links = np.full(len(rules.places), -1, np.int32)
    for row in order:
        _move(position, events[row], walks, links)
        position = events[row]
        n = _score_row(position, links, trend[row], shares[row], walks, rules, scratch)
        write_order(scratch.found[:n], scratch.scores, rules.places, out[row])
        clear(scratch, n)


@exact
def rank_rows(
    events: Integers, trend: Integers, shares: Floats, walks: Walks, rules: Rules, out: Floats
) -> None:
    """Write the ranks of what rows went on to, infinity for what they do not find.

    Parameters
    ----------
    events : int64 [n]
        Increasing.
    trend : int64 [n, n_trend]
    shares : float64 [n, n_trend]
    walks : Walks
    rules : Rules
    out : float64 [n]
    """
    scratch, position = make_scratch(len(rules.places)), 0
    links = np.full(len(rules.places), -1, np.int32)
    for row in range(len(events)):
        _move(position, events[row], walks, links)
        position = events[row]
        n = _score_row(position, links, trend[row], shares[row], walks, rules, scratch)
        out[row] = rank_of(walks.item[position], scratch, n, rules.places)
        clear(scratch, n)

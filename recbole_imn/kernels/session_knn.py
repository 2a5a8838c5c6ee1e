"""Neighbouring sessions of rows, and what they score: the loops of ``model/session_knn.py``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import exact
from recbole_imn.kernels.in_parallel import in_parallel
from recbole_imn.kernels.orders import write_order
from recbole_imn.kernels.session_knn_state import Rules, Scratch, Walks, make_scratch

Ids = npt.NDArray[np.int32]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float32]
NONE = -1


@exact
def current_items(event: int, walks: Walks, rules: Rules, out: Integers) -> int:
    """Collect the user's current items before an event, newest first; give their number.

    Those of his session, and of earlier ones while there are fewer than asked for. Where the
    event itself begins a session, all of them are of earlier ones.
    """
    n, now, before = 0, walks.time[event], walks.of_user[event]
    while before >= 0 and n < len(out):
        if n >= rules.extended_to and now - walks.time[before] > rules.longest_break:
            break
        if not _has(out, n, walks.item[before]):
            out[n] = walks.item[before]
            n += 1
        now, before = walks.time[before], walks.of_user[before]
    return n


@exact
def _has(values: Integers, n: int, value: int) -> bool:
    for place in range(n):  # noqa: SIM110  (compiled loops know no any() of a generator)
        if values[place] == value:
            return True
    return False


@exact
def _is_new(table: Integers, session: int) -> bool:
    """Put a session into a table; tell whether it was not there."""
    mask = len(table) - 1
    # Multiplicative hashing with an odd factor; negative products are masked like others.
    place = (session * 0x9E3779B1 >> 7) & mask
    while table[place] != NONE:
        if table[place] == session:
            return False
        place = (place + 1) & mask
    table[place] = session
    return True


@exact
def sample(event: int, items: Integers, walks: Walks, occupied: Integers, out: Integers) -> int:
    """Find the sessions that have met any of some items last before an event; give their number.

    The user's latest own session, from which the items come, is none of them.

    Parameters
    ----------
    event : int
    items : int64 [n_current]
    walks : Walks
    occupied : int64 [power of two]
        Empty, and again afterwards.
    out : int64 [n_sampled]
        Their first events, in order of the latest of those items' events.
    """
    ends, n = np.empty(len(items), np.int64), 0
    for place in range(len(items)):
        ends[place] = walks.latest[items[place]]
        while ends[place] >= event:
            ends[place] = walks.of_item[ends[place]]
    own = walks.first[walks.of_user[event]]
    while n < len(out):
        latest = np.argmax(ends)
        if ends[latest] < 0:
            break
        session = walks.first[ends[latest]]
        if session != own and _is_new(occupied, session):
            out[n] = session
            n += 1
        ends[latest] = walks.of_item[ends[latest]]
    occupied[:] = NONE
    return n


@exact
def _similarity(
    session: int, event: int, walks: Walks, weights: Floats, rules: Rules, walk: int,
    scratch: Scratch,
) -> tuple[float, int, int]:  # fmt: skip
    """Compare a session with the current items.

    Returns
    -------
    similarity : float
    newest : int
        Place of the newest current item that the session shares.
    where : int
        In which of the session's events it had that item last.
    """
    total, newest, where = 0.0, len(weights), 0
    n_events, n_items, latest = 0, 0, session
    while session != NONE and session < event:
        item = walks.item[session]
        place = scratch.places[item] - 1
        if scratch.seen[item] != walk:
            scratch.seen[item] = walk
            n_items += 1
            if place >= 0:
                total += weights[place]
        if 0 <= place <= newest:
            newest, where = place, n_events
        latest, session = session, walks.following[session]
        n_events += 1
    if rules.is_cosine:
        total /= np.sqrt(float(len(weights) * n_items))
    if rules.fading > 0:
        total *= np.exp(-(walks.time[event] - walks.time[latest]) / rules.fading)
    return total, newest, where


@exact
def _nearness(place: int, where: int, reach: float) -> float:
    """Give the factor of an event of a session, by how far it is from what is shared."""
    return float(np.exp(-abs(place - where) / reach)) if reach > 0 else 1.0


@exact
def _add(item: int, value: float, scratch: Scratch, n_found: int) -> int:
    """Add to an item's score; give the number of items that have one."""
    if value > 0 and scratch.scores[item] == 0:
        scratch.found[n_found] = item
        n_found += 1
    scratch.scores[item] += value
    return n_found


@exact
def _score_neighbours(
    event: int,
    n_current: int,
    sessions: Integers,
    walks: Walks,
    rules: Rules,
    first_walk: int,
    scratch: Scratch,
) -> int:
    """Let the most similar sessions score their items; give the number of those.

    Walks have two numbers a session, from ``first_walk`` on.
    """
    n = len(sessions)
    similarity, factors = np.empty(n, np.float64), np.empty(n, np.float64)
    shared, weights = np.empty(n, np.int64), rules.item_weights[n_current, :n_current]
    for k in range(n):
        total, newest, shared[k] = _similarity(
            sessions[k], event, walks, weights, rules, first_walk + k, scratch
        )
        similarity[k], factors[k] = total, total * rules.decay[newest]
    # Stable: of equally similar ones the latest is the nearest.
    nearest = np.argsort(-similarity, kind="mergesort")[: rules.n_neighbours]
    largest, n_found = 0.0, 0
    for k in nearest:
        largest += factors[k]
    for k in nearest:
        session, place = sessions[k], 0
        while session != NONE and session < event:
            item = walks.item[session]
            if scratch.seen[item] != first_walk + n + k:
                scratch.seen[item] = first_walk + n + k
                value = factors[k] / largest * rules.rarity[item] if largest > 0 else 0.0
                value *= _nearness(place, shared[k], rules.reach)
                n_found = _add(item, value, scratch, n_found)
            session, place = walks.following[session], place + 1
    return n_found


@exact
def _remind(
    event: int, walks: Walks, rules: Rules, walk: int, scratch: Scratch, n_found: int
) -> int:
    """Add the user's own items by recency; give the number of items that have a score."""
    before, rank = walks.of_user[event], 0
    for _ in range(len(rules.reminders)):
        if before < 0:
            break
        item = walks.item[before]
        if scratch.seen[item] != walk:
            scratch.seen[item] = walk
            n_found = _add(item, rules.reminders[rank], scratch, n_found)
            rank += 1
        before = walks.of_user[before]
    return n_found


@exact
def _score_rows(
    first: int, last: int, events: Integers, walks: Walks, rules: Rules, out: Scores
) -> None:
    scratch = make_scratch(out.shape[1], rules.n_sampled)
    current = np.empty(len(rules.decay), np.int64)
    sessions = np.empty(rules.n_sampled, np.int64)
    n_walks = 2 * rules.n_sampled + 1
    for row in range(first, last):
        event, n_found, walk = events[row], 0, row * n_walks
        n_current = current_items(event, walks, rules, current)
        if n_current > 0:
            items = current[:n_current]
            scratch.places[items] = np.arange(1, n_current + 1)
            n = sample(event, items, walks, scratch.occupied, sessions)
            n_found = _score_neighbours(event, n_current, sessions[:n], walks, rules, walk, scratch)
            scratch.places[items] = 0
        n_found = _remind(event, walks, rules, walk + n_walks - 1, scratch, n_found)
        found = scratch.found[:n_found]
        write_order(found, scratch.scores, rules.popular, out[row])
        scratch.scores[found] = 0.0


_score_ranges = in_parallel(_score_rows)


@exact
def score_rows(threads: int, events: Integers, walks: Walks, rules: Rules, out: Scores) -> None:
    """Write 1 to 2 for the items that neighbours or the user himself bring up.

    Parameters
    ----------
    threads : int
        From ``threads_for``.
    events : int64 [n]
        Rows; only what lies before each is read, and its user and time.
    walks : Walks
    rules : Rules
    out : float32 [n, n_items]
        Other entries are left as they are.
    """
    _score_ranges(threads, len(events), (events, walks, rules, out))

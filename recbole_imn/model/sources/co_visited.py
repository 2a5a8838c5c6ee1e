"""Items that others had beside the user's latest ones, counted over their histories so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for
from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.model.sources.base import Numbers, Proposals, Source
from recbole_imn.model.sources.co_visits import (
    AFTER,
    ITEM,
    LINK,
    N_ANCHORS,
    NEWEST,
    PLACES,
    REACH,
    ROOM,
    VISITS,
    WEIGHT,
    best,
    count_all,
    leave_out,
)
from recbole_imn.model.sources.numbers import (
    activity,
    log_time,
    popularity,
)
from recbole_imn.model.sources.own_items import latest_own
from recbole_imn.past import Facts, Past
from recbole_imn.past.before import latest_before

# The user's latest items that are left out.
OWN = 20


class CoVisited(Source):
    r"""The items that others had most beside the user's ten latest ones.

    A neighbour that is d events away from a visit of somebody else to the user's r-th latest
    item counts :math:`1 / (r d)`, up to five events away. The latest 50 / r visits to the item
    are looked at, so that what is counted moves with the log, costs the same however long it
    is, and needs no table: a walk along chains that ends at the row's position. Own items are
    left out.

    The event that points to a candidate is the user's own latest one with the newest of his
    items that it lies beside. The numbers of a candidate are its own: logarithms, over 2, of
    its count, of its share of the counts of all neighbours, and of its count for each of its
    events so far; the share of visits that it came after; the logarithm of how many of the
    user's items it lies beside, and 0.3 for each place of the newest of them; ``log_time`` of
    the seconds since it was last visited beside one, since its latest event, and since the
    user's own event; how busy it is and how popular, as of other sources.

    Parameters
    ----------
    making : Making
    """

    n_slots = 30
    points_by_own_events = True

    def starting_bias(self) -> Floats:
        """Those with more visits weigh more."""
        return -3.0 - np.log1p(np.arange(self.n_slots))

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots with neighbours, the largest count first; of equal ones, the smaller id."""
        log, chains, heads = past.log, past.chains, past.items
        walks = Walks(log.user, log.time, chains.steps, chains.item, heads.latest, heads.count)
        rows = facts.user, facts.at, facts.position, *latest_own(past, facts, OWN)
        _propose(threads_for(len(facts)), *rows, walks, out.items, out.events, out.numbers)


class Walks(NamedTuple):
    """What is walked through: columns of the log, chains from events, and heads of items."""

    user: Ids
    time: Floats
    steps: Ids
    item_chain: Ids
    latest: Ids
    counts: Ids


@compiled
def _propose_rows(
    first: int,
    last: int,
    users: Integers,
    at: Floats,
    positions: Integers,
    own: Integers,
    own_events: Integers,
    walks: Walks,
    items: Integers,
    events: Integers,
    out: Numbers,
) -> None:
    places, met = np.zeros(PLACES, np.int16), np.empty((ROOM, 8))
    visits, seen = np.empty(VISITS, np.int64), np.empty((2, VISITS, REACH, 2), np.int32)
    chosen = np.empty(items.shape[1], np.int64)
    times, item_chain, latest_items = walks.time, walks.item_chain, walks.latest
    counts = walks.counts
    for row in range(first, last):
        position, now = positions[row], at[row]
        n = count_all(
            places, met, visits, seen, users[row], position, own[row], own_events[row], walks.user,
            walks.steps, latest_items,
        )  # fmt: skip
        leave_out(places, met, own[row])
        n_found, total = best(met, n, chosen)
        of_all = np.log(total) / 2 if n_found else 0.0
        for slot in range(n_found):
            one = chosen[slot]
            item, newest = int(met[one, ITEM]), int(met[one, NEWEST])
            led = own_events[row, newest]
            items[row, slot], events[row, slot] = item, led
            event = latest_before(latest_items[item], position, item_chain)
            known = popularity(item, position, item_chain, latest_items, counts)
            count = np.log(met[one, WEIGHT]) / 2
            out[row, slot, 0] = count
            out[row, slot, 1] = count - of_all
            out[row, slot, 2] = count - 2 * known
            out[row, slot, 3] = met[one, AFTER] / met[one, WEIGHT]
            out[row, slot, 4] = np.log(met[one, N_ANCHORS]) + 0.3 * newest
            out[row, slot, 5] = log_time(now - times[int(met[one, LINK])])
            out[row, slot, 6] = log_time(now - times[event])
            out[row, slot, 7] = log_time(now - times[led])
            out[row, slot, 8] = activity(event, now, times, item_chain)
            out[row, slot, 9] = known
        places[:] = 0


_propose_all = in_parallel(_propose_rows)


@compiled
def _propose(
    threads: int,
    users: Integers,
    at: Floats,
    positions: Integers,
    own: Integers,
    own_events: Integers,
    walks: Walks,
    items: Integers,
    events: Integers,
    out: npt.NDArray[np.float32],
) -> None:
    rows = users, at, positions, own, own_events, walks, items, events, out
    _propose_all(threads, len(at), rows)

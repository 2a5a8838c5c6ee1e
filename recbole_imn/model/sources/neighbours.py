"""Items beside the user's latest ones, in the histories of all users."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for
from recbole_imn.log import Flags, Floats, Ids, Integers
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.base import Numbers, Proposals, Source
from recbole_imn.model.sources.numbers import (
    activity,
    crowd,
    log_time,
    popularity,
)
from recbole_imn.model.sources.own_items import latest_own
from recbole_imn.past import Facts, Past
from recbole_imn.past.before import counted_before, latest_before

# The user's latest distinct items whose neighbours are candidates.
ANCHORS = 3


class Neighbours(Source):
    """Of each of the user's three latest items, its latest neighbours with anybody.

    Parameters
    ----------
    making : Making
        ``pointer_neighbours`` of the settings says how many of each item.
    """

    forward: bool

    def __init__(self, making: Making) -> None:
        self.each = making.settings.pointer_neighbours
        self.n_slots = ANCHORS * self.each

    def starting_bias(self) -> Floats:
        """Newer neighbours weigh more."""
        return np.tile(-3.0 - np.log1p(np.arange(self.each)), ANCHORS)

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots, anchor by anchor, with the latest neighbours first."""
        anchors, anchor_events = latest_own(past, facts, ANCHORS)
        log, chains, heads = past.log, past.chains, past.items
        ends, counts, chain = (
            (heads.link, heads.n_links, chains.link)
            if self.forward
            else (heads.latest, heads.count, chains.item)
        )
        _neighbours(
            threads_for(len(facts)), self.forward, self.each, facts.at, facts.position, anchors,
            anchor_events, log.time,
            log.item, log.purchase, ends, counts, chain, chains.user, chains.item, heads.latest,
            heads.count, out.items, out.events, out.numbers,
        )  # fmt: skip


class Successors(Neighbours):
    """What users went on to from the item."""

    forward = True


class Predecessors(Neighbours):
    """What users came from to the item."""

    forward = False


@compiled
def _neighbours_of_rows(
    first: int,
    last: int,
    forward: bool,
    each: int,
    at: Floats,
    positions: Integers,
    anchors: Integers,
    anchor_events: Integers,
    times: Floats,
    items: Ids,
    purchases: Flags,
    ends: Ids,
    counts: Ids,
    chain: Ids,
    user_chain: Ids,
    item_chain: Ids,
    latest_items: Ids,
    item_counts: Ids,
    found: Integers,
    events: Integers,
    out: Numbers,
) -> None:
    for row in range(first, last):
        for place in range(anchors.shape[1]):
            anchor, own = anchors[row, place], anchor_events[row, place]
            if own < 0:
                break
            event, count = counted_before(ends[anchor], counts[anchor], positions[row], chain)
            anchor_age, crowded = log_time(at[row] - times[own]), crowd(count)
            for nth in range(each):
                if event < 0:
                    break
                before = user_chain[event]
                # Who had no item before has no predecessor to offer.
                item = items[event] if forward else (items[before] if before >= 0 else 0)
                if item > 0:
                    slot = place * each + nth
                    found[row, slot], events[row, slot] = item, event
                    age = log_time(at[row] - times[event])
                    latest = latest_before(latest_items[item], positions[row], item_chain)
                    numbers = out[row, slot]
                    numbers[0], numbers[1], numbers[2] = age, age * age, anchor_age
                    numbers[3] = log_time(times[event] - times[before])
                    numbers[4] = log_time(at[row] - times[latest])
                    numbers[5] = crowded
                    numbers[6] = 0.0
                    numbers[7] = purchases[latest]
                    numbers[8] = activity(latest, at[row], times, item_chain)
                    numbers[9] = popularity(
                        item, positions[row], item_chain, latest_items, item_counts
                    )
                event = chain[event]


_neighbours_of_all = in_parallel(_neighbours_of_rows)


@compiled
def _neighbours(
    threads: int,
    forward: bool,
    each: int,
    at: Floats,
    positions: Integers,
    anchors: Integers,
    anchor_events: Integers,
    times: Floats,
    items: Ids,
    purchases: Flags,
    ends: Ids,
    counts: Ids,
    chain: Ids,
    user_chain: Ids,
    item_chain: Ids,
    latest_items: Ids,
    item_counts: Ids,
    found: Integers,
    events: Integers,
    out: Numbers,
) -> None:
    _neighbours_of_all(
        threads,
        len(at),
        (
            forward,
            each,
            at,
            positions,
            anchors,
            anchor_events,
            times,
            items,
            purchases,
            ends,
            counts,
            chain,
            user_chain,
            item_chain,
            latest_items,
            item_counts,
            found,
            events,
            out,
        ),
    )

"""What the latest newcomers chose first, for users without a past."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.base import ANCHOR_AGE, Proposals, Source, fill_numbers
from recbole_imn.past import Facts, Past
from recbole_imn.past.index import EMPTY

# The latest events among which first events of users are looked for, and how many of these.
HORIZON, NEWCOMERS = 20_000, 400
# So many newcomers ago, a first choice counts half of what the latest one does.
HALF = 50


class FirstChoices(Source):
    r"""The items with which the latest newcomers began, for users who are newcomers themselves.

    The item of the k-th latest first event counts :math:`1 / (1 + k / 50)`; the 400 latest
    ones of the latest 20,000 events are looked at. Users with a past have no candidates here,
    so the source is there only where first events are learned from.

    Instead of the age of an event of the user's own, which there is none of, the numbers tell
    the logarithm, over 2, of the item's count. The event that points to a candidate is its
    latest such event.

    Parameters
    ----------
    making : Making
    """

    n_slots = 20

    @classmethod
    def applies(cls, making: Making) -> bool:
        """Whether users' first events are learned from."""
        return making.settings.first_events

    def starting_bias(self) -> Floats:
        """Those chosen more weigh more."""
        return -1.0 - np.log1p(np.arange(self.n_slots))

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots with items, the largest count first; of equal ones, the latest chosen."""
        newcomers = np.flatnonzero(facts.count == 0)
        if not len(newcomers):
            return
        some, found = facts[newcomers], Proposals.empty(len(newcomers), self.n_slots)
        counts = np.zeros(found.items.shape)
        chosen = some.position, past.log.item, past.chains.user
        _count(*chosen, found.items, found.events, counts)
        fill_numbers(past, some, found)
        there = found.items > 0
        found.numbers[..., ANCHOR_AGE][there] = np.log(counts[there]) / 2
        out.items[newcomers], out.events[newcomers] = found.items, found.events
        out.numbers[newcomers] = found.numbers


@compiled
def _count(
    positions: Integers,
    log_items: Ids,
    chain: Ids,
    items: Integers,
    events: Integers,
    counts: Floats,
) -> None:
    """Count first choices before each position, and keep the best of them."""
    found = np.empty(NEWCOMERS, np.int64)
    latest, weights = np.empty(NEWCOMERS, np.int64), np.empty(NEWCOMERS)
    for row in range(len(positions)):
        n, n_found = 0, 0
        for event in range(positions[row] - 1, max(positions[row] - HORIZON, 0) - 1, -1):
            if n == NEWCOMERS:
                break
            if chain[event] != EMPTY:
                continue
            known = 0
            while known < n_found and found[known] != log_items[event]:
                known += 1
            if known == n_found:
                found[known], latest[known], weights[known] = log_items[event], event, 0.0
                n_found += 1
            weights[known] += 1 / (1 + n / HALF)
            n += 1
        for slot in range(min(items.shape[1], n_found)):
            best = 0
            for other in range(1, n_found):
                if weights[other] > weights[best]:
                    best = other
            items[row, slot], events[row, slot] = found[best], latest[best]
            counts[row, slot] = weights[best]
            weights[best] = -1.0

"""The user's own latest distinct items."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Flags, Floats, Ids, Integers
from recbole_imn.model.sources.base import Numbers, Proposals, Source
from recbole_imn.model.sources.numbers import crowd, latest_of_item, log_time
from recbole_imn.past import Facts, Past

# The user's latest events in which distinct items are looked for.
HORIZON = 200


class OwnItems(Source):
    """Up to 20 distinct items of the user's latest 200 events, newest first."""

    n_slots = 20
    by_recency = True

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots with the latest event of each item."""
        own_events(facts.latest, past.log.item, past.chains.user, HORIZON, out.items, out.events)
        log, chains = past.log, past.chains
        _numbers(
            facts.at, facts.position, facts.count, log.time, log.purchase, chains.times,
            chains.item, past.items.latest, out.items, out.events, out.numbers,
        )  # fmt: skip

    def starting_bias(self) -> Floats:
        """Newer items weigh more."""
        return -np.log1p(np.arange(self.n_slots))


@compiled
def own_events(
    latest: Integers,
    items: Ids,
    chain: Ids,
    horizon: int,
    found_items: Integers,
    found_events: Integers,
) -> None:
    """Walk back from the users' latest events; keep the newest event of each distinct item."""
    n_slots = found_items.shape[1]
    for row in range(len(latest)):
        event, n_found = latest[row], 0
        for _ in range(horizon):
            if event < 0 or n_found == n_slots:
                break
            item = items[event]
            new = True
            for slot in range(n_found):
                if found_items[row, slot] == item:
                    new = False
                    break
            if new:
                found_items[row, n_found] = item
                found_events[row, n_found] = event
                n_found += 1
            event = chain[event]


@compiled
def _numbers(
    at: Floats,
    positions: Integers,
    counts: Integers,
    times: Floats,
    purchases: Flags,
    repeats: Ids,
    item_chain: Ids,
    latest_items: Ids,
    items: Integers,
    events: Integers,
    out: Numbers,
) -> None:
    none = log_time(0.0)
    for row in range(len(at)):
        crowded = crowd(counts[row])
        for slot in range(items.shape[1]):
            event = events[row, slot]
            if event < 0:
                break
            age = log_time(at[row] - times[event])
            last = latest_of_item(items[row, slot], positions[row], item_chain, latest_items)
            numbers = out[row, slot]
            numbers[0], numbers[1], numbers[2], numbers[3] = age, age * age, age, none
            numbers[4] = log_time(at[row] - times[last])
            numbers[5] = crowded
            numbers[6] = np.log(repeats[event])
            numbers[7] = purchases[last]

"""The user's own latest distinct items."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Flags, Floats, Ids, Integers
from recbole_imn.model.sources.base import ANCHOR_AGE, GAP, Numbers, Proposals, Source
from recbole_imn.model.sources.numbers import (
    activity,
    crowd,
    log_time,
    popularity,
)
from recbole_imn.past import Facts, Past
from recbole_imn.past.before import latest_before

# The user's latest events in which distinct items are looked for.
HORIZON = 200
# Columns of numbers that are this source's own.
FREQUENCY, RETURNS = ANCHOR_AGE, GAP


class OwnItems(Source):
    """Up to 20 distinct items of the user's latest 200 events, newest first.

    Two of their numbers are their own. Instead of the age of an event that led to it: the
    logarithm, over 2, of how often the user had the item among these events, the k-th latest
    of which counts 1 / k. Instead of a gap: the logarithm, over 2, of 0.1 and how often he
    went on to it from the item that he had last, where k steps back count 1 / (1 + k / 10).

    Parameters
    ----------
    making : Making
    """

    n_slots = 20
    by_recency = True
    points_by_own_events = True

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots with the latest event of each item."""
        own_events(facts.latest, past.log.item, past.chains.user, HORIZON, out.items, out.events)
        log, chains, heads = past.log, past.chains, past.items
        _habits(facts.latest, log.item, chains.user, out.items, out.numbers)
        _numbers(
            facts.at, facts.position, facts.count, log.time, log.purchase, chains.times,
            chains.item, heads.latest, heads.count, out.items, out.events, out.numbers,
        )  # fmt: skip

    def starting_bias(self) -> Floats:
        """Newer items weigh more."""
        return -np.log1p(np.arange(self.n_slots))


def latest_own(past: Past, facts: Facts, n: int) -> tuple[Integers, Integers]:
    """Give the users' latest distinct items and the latest event of each, newest first.

    Parameters
    ----------
    past : Past
    facts : Facts
        Of rows.
    n : int
        Items of each user, at most.

    Returns
    -------
    items : int64 [n_rows, n]
        0 where there are no more.
    events : int64 [n_rows, n]
        -1 where there are no more.
    """
    items, events = np.zeros((len(facts), n), np.int64), np.full((len(facts), n), -1, np.int64)
    own_events(facts.latest, past.log.item, past.chains.user, HORIZON, items, events)
    return items, events


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
def _slot_of(items: Integers, item: int) -> int:
    """Find an item among the slots of a row; -1 where it is not there."""
    for slot in range(len(items)):
        if items[slot] == item:
            return slot
    return -1


@compiled
def _habits(latest: Integers, log_items: Ids, chain: Ids, items: Integers, out: Numbers) -> None:
    """Fill in how much the user had of each item lately, and went on to it from the last one."""
    for row in range(len(latest)):
        numbers = out[row]
        numbers[:, FREQUENCY] = numbers[:, RETURNS] = 0.0
        event, newer, step = latest[row], -1, 0
        while event >= 0 and step < HORIZON:
            slot = _slot_of(items[row], log_items[event])
            if slot >= 0:
                numbers[slot, FREQUENCY] += 1 / (1 + step)
            if slot == 0 and newer >= 0:
                numbers[newer, RETURNS] += 1 / (1 + 0.1 * step)
            event, newer = chain[event], slot
            step += 1
        for slot in range(items.shape[1]):
            if items[row, slot] == 0:
                break
            numbers[slot, FREQUENCY] = np.log(numbers[slot, FREQUENCY]) / 2
            numbers[slot, RETURNS] = np.log(0.1 + numbers[slot, RETURNS]) / 2


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
    item_counts: Ids,
    items: Integers,
    events: Integers,
    out: Numbers,
) -> None:
    for row in range(len(at)):
        crowded, position = crowd(counts[row]), positions[row]
        for slot in range(items.shape[1]):
            event, item = events[row, slot], items[row, slot]
            if event < 0:
                break
            age = log_time(at[row] - times[event])
            last = latest_before(latest_items[item], position, item_chain)
            numbers = out[row, slot]
            numbers[0], numbers[1] = age, age * age
            numbers[4] = log_time(at[row] - times[last])
            numbers[5] = crowded
            numbers[6] = np.log(repeats[event])
            numbers[7] = purchases[last]
            numbers[8] = activity(last, at[row], times, item_chain)
            numbers[9] = popularity(item, position, item_chain, latest_items, item_counts)

"""Numbers that tell the pointer how a user chooses, from what lies before the row."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.model.sources.base import Numbers
from recbole_imn.model.sources.numbers import log_time
from recbole_imn.past import Facts, Past
from recbole_imn.past.index import EMPTY

N_USER_NUMBERS = 8
# Pairs of consecutive events that are looked at, from the latest one back.
N_PAIRS = 50
# What a pair counts in the recent share, as a part of the pair after it.
DECAY = 0.8


def user_numbers(past: Past, facts: Facts) -> Numbers:
    r"""Give what the pointer knows of users, roughly scaled and always finite.

    The columns are: the logarithm of the share of events with an item that the user had had
    before, smoothed by one such event and one other; the logarithm of how many events he has,
    over 5; ``log_time`` of the time since the latest one. Then, of the latest 50 pairs of
    consecutive events, of which :math:`r_k` says whether both are of the same item (0 is the
    latest pair):

    .. math::
        \log\frac{1 + \sum_k r_k}{2 + \sum_k 1}, \quad \log p, \quad \log(1 - p), \quad
        p = \frac{0.5 + \sum_k 0.8^k r_k}{1 + \sum_k 0.8^k} ,

    the logarithm of how many of the latest events in a row are of the same item, over 2; and
    ``log_time`` of the seconds between both events of the latest pair, 0 where there is none
    (which is what some seven minutes are).

    Parameters
    ----------
    past : Past
    facts : Facts
        Of the rows; only events before their positions are looked at.

    Returns
    -------
    float32 [n, 8]
    """
    # Smoothed: one repeat and one other event are added.
    rates = ((facts.repeats + 1) / (facts.count + 2)).astype(np.float32)
    numbers = np.empty((len(facts), N_USER_NUMBERS), np.float32)
    log, counted = past.log, (np.log(rates), facts.count, facts.elapsed)
    _fill(*counted, facts.latest, past.chains.user, log.item, log.time, numbers)
    return numbers


@compiled
def _fill(
    log_rates: Numbers,
    counts: Integers,
    elapsed: Floats,
    latest: Integers,
    chain: Ids,
    items: Ids,
    times: Floats,
    numbers: Numbers,
) -> None:
    for row in range(len(numbers)):
        event = latest[row]
        numbers[row, 0] = log_rates[row]
        numbers[row, 1] = np.log(1 + counts[row]) / 5
        numbers[row, 2] = log_time(elapsed[row])
        _fill_repeats(event, chain, items, numbers[row, 3:7])
        before = chain[event] if event != EMPTY else EMPTY
        numbers[row, 7] = log_time(times[event] - times[before]) if before != EMPTY else 0.0


@compiled
def _fill_repeats(event: int, chain: Ids, items: Ids, numbers: Numbers) -> None:
    """Fill in how often and how lately the item of the event before was chosen again."""
    same, total, same_now, total_now = 1.0, 2.0, 0.5, 1.0
    weight, run, pair = 1.0, 1, 0
    while pair < N_PAIRS and event != EMPTY and chain[event] != EMPTY:
        before = chain[event]
        total += 1
        total_now += weight
        if items[before] == items[event]:
            same += 1
            same_now += weight
            # Until now all pairs were of the same item.
            run += run == pair + 1
        weight *= DECAY
        event = before
        pair += 1
    numbers[0] = np.log(same / total)
    numbers[1] = np.log(same_now / total_now)
    numbers[2] = np.log(1 - same_now / total_now)
    numbers[3] = np.log(run) / 2

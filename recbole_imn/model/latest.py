"""Users' latest events, as those see them who weigh events one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import NO_EVENT, Floats, Ids, Integers
from recbole_imn.model.sources.numbers import log_time
from recbole_imn.past import Facts, Past

Ages = npt.NDArray[np.float32]


def latest_items(past: Past, facts: Facts, length: int) -> tuple[Integers, Integers, Ages]:
    """Look up the items, behaviours and ages of users' latest events, newest first.

    Parameters
    ----------
    past : Past
    facts : Facts
        Of the rows.
    length : int

    Returns
    -------
    int64, int64, float32 [n, length]
        Items, 0 where there are no more events; behaviours; ``log_time`` of the seconds since.
    """
    log, shape = past.log, (len(facts), length)
    items, behaviours = np.empty((2, *shape), np.int64)
    ages = np.empty(shape, np.float32)
    _latest_items(
        facts.latest, facts.at, past.chains.user, log.item, log.behaviour, log.time, items,
        behaviours, ages,
    )  # fmt: skip
    return items, behaviours, ages


@compiled
def _latest_items(
    latest: Integers,
    at: Floats,
    chain: Ids,
    items: Ids,
    behaviours: npt.NDArray[np.int16],
    times: Floats,
    found: Integers,
    done: Integers,
    ages: Ages,
) -> None:
    # Padding: no item, and the behaviour of the log's first event, which counts for nothing.
    none, nothing = log_time(0.0), behaviours[0] if len(behaviours) else 0
    for row in range(len(latest)):
        event = latest[row]
        for place in range(found.shape[1]):
            if event == NO_EVENT:
                found[row, place], done[row, place], ages[row, place] = 0, nothing, none
                continue
            found[row, place], done[row, place] = items[event], behaviours[event]
            ages[row, place] = log_time(at[row] - times[event])
            event = chain[event]

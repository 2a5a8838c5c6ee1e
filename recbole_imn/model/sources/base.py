"""What a source is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import NO_EVENT, Floats, Ids, Integers
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.numbers import activity
from recbole_imn.past import Facts, Past

Numbers = npt.NDArray[np.float32]
# What the pointer is told of a candidate, by column of ``Proposals.numbers``.
AGE, AGE_SQUARED, ANCHOR_AGE, GAP, ITEM_AGE, CROWD, TIMES, ITEM_PURCHASED = range(8)
ACTIVITY, POPULARITY = 8, 9
N_NUMBERS = 10


@dataclass(frozen=True)
class Proposals:
    """Candidates of some rows, from what lies before each; a slot is a place for one.

    Attributes
    ----------
    items : int64 [n, n_slots]
        0 is an empty slot.
    events : int64 [n, n_slots]
        The earlier event that points to the item; -1 for none.
    numbers : float32 [n, n_slots, 10]
        What tells of each, roughly scaled. The pointer learns weights of their own for every
        source, so that a source may have others, as it says; by default: logarithms of the
        seconds since that event (and its square), since the user's own event that led to it,
        between the two, and since anybody's latest event with the item (each by
        ``log_time``); logarithm of how many candidates there were to choose from over 4;
        logarithm of how often the user has had the item; whether the item's latest event was
        a purchase; ``log_time`` of the seconds since the item's sixth-latest event, and the
        logarithm of how many it has over 4.
    """

    items: Integers
    events: Integers
    numbers: Numbers

    @classmethod
    def empty(cls, n_rows: int, n_slots: int, cleared: bool = True) -> Proposals:
        """Give proposals of nothing; numbers that are not cleared are of no particular value."""
        numbers = np.zeros if cleared else np.empty
        return cls(
            np.zeros((n_rows, n_slots), np.int64),
            np.full((n_rows, n_slots), -1, np.int64),
            numbers((n_rows, n_slots, N_NUMBERS), np.float32),
        )

    def slots(self, start: int, stop: int) -> Proposals:
        """Give some of the slots, without a copy."""
        return Proposals(
            self.items[:, start:stop], self.events[:, start:stop], self.numbers[:, start:stop]
        )


class Source:
    """Proposes items from the past, and knows nothing of weights.

    A subclass says how many candidates it has for a row, and which events of the past point to
    them. One that knows more of its candidates overrides :meth:`propose` instead.

    Parameters
    ----------
    making : Making

    Attributes
    ----------
    n_slots : int
        Candidates of a row, at most.
    by_recency : bool
        Whether slots go by the user's recency, the newest first.
    points_by_own_events : bool
        Whether the events that point to candidates are the user's own.
    """

    n_slots: int
    by_recency: bool = False
    points_by_own_events: bool = False

    def __init__(self, making: Making) -> None:
        pass

    @classmethod
    def applies(cls, making: Making) -> bool:
        """Whether there are rows that the source has candidates for; else it is left out."""
        return True

    def find(self, past: Past, facts: Facts) -> Integers:
        """Give events whose items are candidates, int64 [n, n_slots]; -1 where there is none.

        An event must lie before its row's position: what comes later does not exist yet.

        Parameters
        ----------
        past : Past
        facts : Facts
            Of the rows.
        """
        raise NotImplementedError

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots with candidates of rows, from events before each row's position.

        By default the items of the events that :meth:`find` gives.

        Parameters
        ----------
        past : Past
        facts : Facts
            Of the rows.
        out : Proposals
            All slots empty. A slot that gets an item must get an event and all its numbers.

        Raises
        ------
        ValueError
            If an event does not lie before its row's position.
        """
        events = self.find(past, facts)
        if (events >= facts.position[:, None]).any():
            raise ValueError(
                f"{type(self).__name__} points to events at or behind the position of their row"
            )
        there = events != NO_EVENT
        out.events[...] = events
        out.items[...] = np.where(there, past.log.item[np.maximum(events, 0)], 0)
        fill_numbers(past, facts, out)

    def starting_bias(self) -> Floats:
        """Give the log weights that slots start with, float64 [n_slots]."""
        return -3.0 - np.log1p(np.arange(self.n_slots))


def fill_numbers(past: Past, facts: Facts, out: Proposals) -> None:
    """Fill in what can be told of any candidate by its event; slots without one stay."""
    there = out.events != NO_EVENT
    out.numbers[there] = _numbers(past, facts, out)[there]


def _numbers(past: Past, facts: Facts, out: Proposals) -> Numbers:
    """Give the same of all slots, float32 [n, n_slots, 10]."""
    shape, log = out.events.shape, past.log
    at, items = np.repeat(facts.at, shape[1]), out.items.reshape(-1)
    events = np.maximum(out.events.reshape(-1), 0)
    known = past.look_at_items(items, at, np.repeat(facts.position, shape[1]))
    numbers = np.zeros((len(items), N_NUMBERS), np.float32)
    numbers[:, AGE] = numbers[:, ANCHOR_AGE] = log_time(at - log.time[events])
    numbers[:, AGE_SQUARED] = numbers[:, AGE] ** 2
    numbers[:, GAP] = log_time(np.zeros(1))
    numbers[:, ITEM_AGE] = log_time(known.elapsed)
    n_found = np.repeat((out.items > 0).sum(axis=1), shape[1])
    numbers[:, CROWD] = np.log(np.maximum(n_found, 1)) / 4
    numbers[:, ITEM_PURCHASED] = log.purchase[np.maximum(known.latest, 0)]
    numbers[:, POPULARITY] = np.log(np.maximum(known.count, 1)) / 4
    fill_activity(known.latest, at, log.time, past.chains.item, numbers[:, ACTIVITY])
    return numbers.reshape(*shape, N_NUMBERS)


@compiled
def fill_activity(
    latest: Integers, at: Floats, times: Floats, chain: Ids, out: npt.NDArray[np.float32]
) -> None:
    """Tell how busy items are, by their latest events; 0 for none."""
    for place in range(len(latest)):
        event = latest[place]
        out[place] = activity(event, at[place], times, chain) if event >= 0 else 0.0


def log_time(seconds: Floats) -> Floats:
    """Logarithm of times: -1 for a second, about 1 for two days."""
    scaled: Floats = np.log1p(seconds) / 6 - 1
    return scaled

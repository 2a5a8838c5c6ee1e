"""What a source is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.log import Floats, Integers
from recbole_imn.model.parts import Making
from recbole_imn.past import Facts, Past

# What the pointer is told of a candidate, by column of ``Proposals.numbers``.
AGE, AGE_SQUARED, ANCHOR_AGE, GAP, ITEM_AGE, CROWD, TIMES, ITEM_PURCHASED = range(8)
N_NUMBERS = 8


@dataclass(frozen=True)
class Proposals:
    """Candidates of some rows, from what lies before each; a slot is a place for one.

    Attributes
    ----------
    items : int64 [n, n_slots]
        0 is an empty slot.
    events : int64 [n, n_slots]
        The earlier event that points to the item; -1 for none.
    numbers : float32 [n, n_slots, 8]
        Roughly scaled: logarithms of the seconds since that event (and its square), since
        the user's own event that led to it, between the two, and since anybody's latest event
        with the item (each by ``log_time``); logarithm of how many candidates there were to
        choose from over 4; logarithm of how often the user has had the item; whether the
        item's latest event was a purchase.
    """

    items: Integers
    events: Integers
    numbers: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, n_rows: int, n_slots: int) -> Proposals:
        """Give proposals of nothing; numbers of empty slots are of no particular value."""
        return cls(
            np.zeros((n_rows, n_slots), np.int64),
            np.full((n_rows, n_slots), -1, np.int64),
            np.empty((n_rows, n_slots, N_NUMBERS), np.float32),
        )

    def slots(self, start: int, stop: int) -> Proposals:
        """Give some of the slots, without a copy."""
        return Proposals(
            self.items[:, start:stop], self.events[:, start:stop], self.numbers[:, start:stop]
        )


class Source:
    """Proposes items from the past, and knows nothing of weights.

    Parameters
    ----------
    making : Making
    """

    n_slots: int

    def __init__(self, making: Making) -> None:
        pass

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots with candidates of rows, from events before each row's position.

        Parameters
        ----------
        past : Past
        facts : Facts
            Of the rows.
        out : Proposals
            All slots empty. A slot that gets an item must get an event and all its numbers.
        """
        raise NotImplementedError

    def starting_bias(self) -> Floats:
        """Give the log weights that slots start with, float64 [n_slots]."""
        return -3.0 - np.log1p(np.arange(self.n_slots))

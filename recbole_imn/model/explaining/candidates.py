"""Candidates of the past, and the events that point to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.log import NO_EVENT, Floats, Integers
from recbole_imn.model.sources import Pointer
from recbole_imn.model.sources.base import Proposals
from recbole_imn.model.sources.neighbours import ANCHORS, Neighbours
from recbole_imn.model.sources.own_items import latest_own
from recbole_imn.past import Facts, Past


@dataclass(frozen=True)
class Candidates:
    """Proposals of items that were asked for, one entry a proposal.

    Attributes
    ----------
    row, column : int64 [n]
        Which of the items that were asked for.
    source : int64 [n]
        Which of the pointer's sources.
    slot : int64 [n]
        Which of its slots.
    event : int64 [n]
        The past event that points to the item.
    anchor : int64 [n]
        The user's own event that led to it; -1 where the source does not tell.
    log_weight : float64 [n]
    share : float64 [n]
        Of the item's weight in the mixture, density ratio included.
    """

    row: Integers
    column: Integers
    source: Integers
    slot: Integers
    event: Integers
    anchor: Integers
    log_weight: Floats
    share: Floats

    def __len__(self) -> int:
        """Return the number of proposals."""
        return len(self.row)

    def of(self, row: int, column: int) -> Candidates:
        """Give the proposals of one item of one row, the largest share first."""
        places = np.flatnonzero((self.row == row) & (self.column == column))
        places = places[np.argsort(-self.share[places], kind="stable")]
        return Candidates(**{name: values[places] for name, values in vars(self).items()})


def no_candidates() -> Candidates:
    """Give candidates of nothing."""
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Candidates(whole, whole, whole, whole, whole, whole, real, real)


def find_candidates(
    pointer: Pointer,
    past: Past,
    facts: Facts,
    items: Integers,
    weights: Floats,
    density: Floats,
) -> tuple[Candidates, Floats]:
    """Find the proposals of some items, and what they add to the density ratio.

    Parameters
    ----------
    pointer : Pointer
    past : Past
    facts : Facts
        Of the rows.
    items : int64 [n, k]
    weights : float64 [n, n_slots]
        Log weights of all candidates of the rows, as ranking takes them.
    density : float64 [n, k]
        Log density ratios of the items.

    Returns
    -------
    candidates : Candidates
    gain : float64 [n, k]
        What proposals add to each item's log weight in the mixture.
    """
    proposed, anchors, sources, slots = propose(pointer, past, facts)
    hits = (proposed.items[:, None, :] == items[:, :, None]) & np.isfinite(weights)[:, None, :]
    row, column, place = hits.nonzero()
    found = weights[row, place]
    largest = density.copy()
    np.maximum.at(largest, (row, column), found)
    total = np.exp(density - largest)
    np.add.at(total, (row, column), np.exp(found - largest[row, column]))
    share = np.exp(found - largest[row, column]) / total[row, column]
    of_place = sources[place], slots[place], proposed.events[row, place], anchors[row, place]
    candidates = Candidates(row, column, *of_place, found, share)
    # In logarithms: of a density ratio that is far below, there may be no share left.
    return candidates, largest - density + np.log(total)


def propose(
    pointer: Pointer, past: Past, facts: Facts
) -> tuple[Proposals, Integers, Integers, Integers]:
    """Let the sources of a pointer propose candidates of rows.

    Returns
    -------
    proposed : Proposals
    anchors : int64 [n, n_slots]
        The user's own event that led to each; -1 where the source does not tell.
    sources, slots : int64 [n_slots]
        Whose slot each is, and which of its slots.
    """
    sizes = pointer.sizes
    proposed = Proposals.empty(len(facts), sum(sizes))
    anchors = np.full(proposed.items.shape, NO_EVENT, np.int64)
    start = 0
    for source, size in zip(pointer.sources, sizes, strict=True):
        inside = proposed.slots(start, start + size)
        source.propose(past, facts, inside)
        if source.points_by_own_events:
            anchors[:, start : start + size] = inside.events
        elif isinstance(source, Neighbours):
            _, led = latest_own(past, facts, ANCHORS)
            anchors[:, start : start + size] = np.repeat(led, source.each, axis=1)
        start += size
    anchors[proposed.items == 0] = NO_EVENT
    slots = np.concatenate([np.arange(size) for size in sizes])
    return proposed, anchors, np.repeat(np.arange(len(sizes)), sizes), slots

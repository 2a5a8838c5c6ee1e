"""Negatives that stand for the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Integers
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past
from recbole_imn.past.distinct import distinct, place_in

# Latest events whose items count as touched lately.
ACTIVE_EVENTS = 2048


@dataclass(frozen=True)
class Negatives:
    """Items that stand for the catalogue.

    Attributes
    ----------
    items : int64 [m], or [n_rows, m] of each row's own
    log_shares : float32 [m]
        Logarithm of how many items each stands for.
    """

    items: Integers
    log_shares: npt.NDArray[np.float32]

    def of_rows(self, rows: slice) -> Negatives:
        """Give the negatives that some rows are compared with."""
        items = self.items if self.items.ndim == 1 else self.items[rows]
        return Negatives(items, self.log_shares)


# Of a past, a window's start, the items of its rows, and a generator.
Draw = Callable[[Past, int, Integers, np.random.Generator], Negatives]


def sampler(settings: NetworkSettings) -> Draw:
    """Give what draws negatives for the events of a window."""
    n = settings.n_negatives
    if settings.negatives == "row":
        return lambda past, start, own, rng: draw_for_each(past, own, n, rng)
    if settings.negatives == "in_batch":
        return lambda past, start, own, rng: draw_in_batch(own, n, rng)
    if not settings.sources and not settings.terms:
        return lambda past, start, own, rng: draw_uniform(past, n, rng)
    n_active = settings.n_active_negatives
    return lambda past, start, own, rng: draw_strata(past, start, n_active, n, rng)


def draw_uniform(past: Past, n: int, rng: np.random.Generator) -> Negatives:
    """Draw from the whole catalogue; each counts as one, as in equation (19)."""
    items = rng.integers(1, past.log.n_items, n)
    return Negatives(items, np.zeros(n, np.float32))


def draw_for_each(past: Past, own: Integers, n: int, rng: np.random.Generator) -> Negatives:
    """Draw for each row from all items but its own; each counts as one.

    Parameters
    ----------
    past : Past
    own : int64 [n_rows]
        The items of the rows.
    n : int
        Negatives a row; there are none where the catalogue is a single item.
    rng : numpy.random.Generator
    """
    n_others = past.log.n_items - 2
    items = rng.integers(1, max(n_others, 1) + 1, (len(own), n if n_others > 0 else 0))
    items += items >= own[:, None]
    return Negatives(items, np.zeros(items.shape[1], np.float32))


def draw_in_batch(own: Integers, n: int, rng: np.random.Generator) -> Negatives:
    """Take the items of a window's rows for the others: popular items come more often.

    Parameters
    ----------
    own : int64 [n_rows]
        The items of the rows; one that is a row's own does not count for it.
    n : int
        Rows that are chosen, without replacement; all of them if there are no more.
    rng : numpy.random.Generator
    """
    chosen = own if len(own) <= n else rng.choice(own, n, replace=False)
    return Negatives(chosen, np.zeros(len(chosen), np.float32))


def draw_strata(
    past: Past, start: int, n_active: int, n_others: int, rng: np.random.Generator
) -> Negatives:
    """Draw from two strata: items touched lately, and all the others.

    Where items come and go, few of those drawn from the whole catalogue can be chosen at
    all, and a sum over so few is too low in most draws. Hence as many as ``n_active`` come
    from the items of the latest events, and the others stand for the rest.

    Parameters
    ----------
    past : Past
    start : int
        Only earlier events are looked at.
    n_active : int
        Negatives among the items touched lately, without replacement; if there are no more
        than these, all of them.
    n_others : int
        Negatives drawn from the whole catalogue; those touched lately are left out. If there
        are no more items than these, each is there once, and the sum is exact.
    rng : numpy.random.Generator
    """
    n_items = past.log.n_items
    if n_others >= n_items - 1:
        return Negatives(np.arange(1, n_items), np.zeros(n_items - 1, np.float32))
    since = max(0, start - ACTIVE_EVENTS) if n_active else start
    active = distinct(past.log.item[since:start])
    others = _outside(rng.integers(1, n_items, n_others), active)
    chosen = active if len(active) <= n_active else rng.choice(active, n_active, replace=False)
    log_shares = np.empty(len(others) + len(chosen), np.float32)
    log_shares[: len(others)] = _log_share(n_items - 1 - len(active), len(others))
    log_shares[len(others) :] = _log_share(len(active), len(chosen))
    return Negatives(np.concatenate([others, chosen]), log_shares)


def _log_share(n_items: int, n_drawn: int) -> float:
    # Where there is nothing to draw from, nothing is drawn.
    return float(np.log(max(n_items, 1) / max(n_drawn, 1)))


@compiled
def _outside(drawn: Integers, active: Integers) -> Integers:
    """Give those that are not among increasing ones, int64 [n]."""
    outside, n = np.empty_like(drawn), 0
    for item in drawn:
        place = place_in(active, item)
        if place == len(active) or active[place] != item:
            outside[n] = item
            n += 1
    return outside[:n]

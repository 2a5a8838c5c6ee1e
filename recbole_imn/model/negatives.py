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
    items : int64 [m]
    log_shares : float32 [m]
        Logarithm of how many items each stands for; -inf for one that stands for none.
    """

    items: Integers
    log_shares: npt.NDArray[np.float32]


Draw = Callable[[Past, int, np.random.Generator], Negatives]


def sampler(settings: NetworkSettings) -> Draw:
    """Give what draws negatives for the events of a window."""
    if not settings.sources and not settings.terms:
        return lambda past, start, rng: draw_uniform(past, settings.n_negatives, rng)
    return lambda past, start, rng: draw_strata(
        past, start, settings.n_active_negatives, settings.n_negatives, rng
    )


def draw_uniform(past: Past, n: int, rng: np.random.Generator) -> Negatives:
    """Draw from the whole catalogue; each counts as one, as in equation (19)."""
    items = rng.integers(1, past.log.n_items, n)
    return Negatives(items, np.zeros(n, np.float32))


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
    others = rng.integers(1, n_items, n_others)
    chosen = active if len(active) <= n_active else rng.choice(active, n_active, replace=False)
    items = np.concatenate([others, chosen])
    return Negatives(items, _log_shares(items, n_others, active, n_items - 1 - len(active)))


@compiled
def _log_shares(items, n_others, active, n_rest):  # type: ignore[no-untyped-def]
    """Let those of the first items that are not active stand for the rest, float32 [n]."""
    shares = np.full(len(items), -np.inf, np.float32)
    n_outside, n_chosen = 0, len(items) - n_others
    for place in range(n_others):
        found = place_in(active, items[place])
        if found == len(active) or active[found] != items[place]:
            shares[place] = 0
            n_outside += 1
    of_rest, of_active = np.log(n_rest / max(n_outside, 1)), np.log(len(active) / max(n_chosen, 1))
    shares[:n_others] += of_rest
    shares[n_others:] = of_active
    return shares

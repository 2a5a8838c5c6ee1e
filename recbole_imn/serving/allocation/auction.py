"""Lists by an auction: as near to the largest sum as one likes, for large problems."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Flags, Floats, Integers
from recbole_imn.serving.allocation.problem import Problem


def auction(problem: Problem, step: float) -> tuple[Flags, Floats]:
    r"""Let users bid for items until nobody wants to bid more.

    The forward auction of Bertsekas and Castanon (1989), "The auction algorithm for the
    transportation problem", with at most one unit of an item to a user. A user with a free slot
    bids for the item whose score exceeds its price most, up to where it is as good as the next
    best, and one step more. The last of an item's holders by bid gives way. All prices begin
    at 0 and only rise, so an item that is not used up costs nothing, and at the end every entry
    of a list is within a step of the best that its user could have at these prices.
    Hence the sum is within ``step`` times the number of entries of the largest one.

    Parameters
    ----------
    problem : Problem
    step : float
        Above 0: what each bid exceeds indifference by, in the unit of scores.

    Returns
    -------
    chosen : bool [n_edges]
    prices : float64 [n_items]
    """
    chosen = np.zeros(len(problem.item), bool)
    room = np.minimum(problem.capacity, problem.wanted)
    first = np.concatenate([[0], np.cumsum(room)])
    bids, holders = np.zeros(first[-1]), np.zeros(first[-1], np.int64)
    # What there is none of costs more than anybody has.
    prices = np.where(problem.capacity > 0, 0.0, np.inf)
    _hold_auction(
        problem.start, problem.user, problem.item, problem.score, problem.slots, problem.capacity,
        first, step, bids, holders, prices, chosen,
    )  # fmt: skip
    return chosen, np.where(problem.capacity > 0, prices, 0.0)


@exact
def _hold_auction(
    start: Integers,
    user: Integers,
    item: Integers,
    score: Floats,
    slots: Integers,
    capacity: Integers,
    first: Integers,
    step: float,
    bids: Floats,
    holders: Integers,
    prices: Floats,
    chosen: Flags,
) -> None:
    """Serve users who have a free slot in turn.

    ``bids`` and ``holders`` (edges) are a heap an item, from ``first``, the lowest bid on top.
    """
    n_users, n_items = len(slots), len(capacity)
    free, held = slots.copy(), np.zeros(n_items, np.int64)
    queue, waiting = np.arange(n_users), np.ones(n_users, np.bool_)
    head, length = 0, n_users
    while length:
        bidder = queue[head]
        head, length = (head + 1) % n_users, length - 1
        waiting[bidder] = False
        while free[bidder] > 0:
            edge, bid = _best_bid(bidder, start, item, score, prices, chosen, step)
            if edge < 0:
                break
            wanted = item[edge]
            bottom = first[wanted]
            if held[wanted] == capacity[wanted]:
                loser = user[holders[bottom]]
                chosen[holders[bottom]] = False
                free[loser] += 1
                if not waiting[loser]:
                    queue[(head + length) % n_users] = loser
                    length, waiting[loser] = length + 1, True
                _replace_lowest(bids, holders, bottom, held[wanted], bid, edge)
            else:
                _add(bids, holders, bottom, held[wanted], bid, edge)
                held[wanted] += 1
            if held[wanted] == capacity[wanted]:
                prices[wanted] = bids[bottom]
            chosen[edge] = True
            free[bidder] -= 1


@exact
def _best_bid(
    bidder: int,
    start: Integers,
    item: Integers,
    score: Floats,
    prices: Floats,
    chosen: Flags,
    step: float,
) -> tuple[int, float]:
    """Give the edge that a user wants most, and what to bid; -1 if none is worth its price."""
    best, most, second = -1, 0.0, 0.0
    for edge in range(start[bidder], start[bidder + 1]):
        if score[edge] <= second:
            break  # scores fall, and prices are at least 0
        worth = score[edge] - prices[item[edge]]
        if chosen[edge] or worth <= second:
            continue
        if worth > most:
            best, most, second = edge, worth, most
        else:
            second = worth
    return best, (score[best] - second + step if best >= 0 else 0.0)


@exact
def _add(bids: Floats, holders: Integers, bottom: int, size: int, bid: float, edge: int) -> None:
    """Put a bid into a heap of a size."""
    place = size
    while place > 0 and bids[bottom + (place - 1) // 2] > bid:
        above = (place - 1) // 2
        bids[bottom + place] = bids[bottom + above]
        holders[bottom + place] = holders[bottom + above]
        place = above
    bids[bottom + place], holders[bottom + place] = bid, edge


@exact
def _replace_lowest(
    bids: Floats, holders: Integers, bottom: int, size: int, bid: float, edge: int
) -> None:
    """Put a bid in the place of the lowest one of a heap."""
    place = 0
    while 2 * place + 1 < size:
        below = 2 * place + 1
        if below + 1 < size and bids[bottom + below + 1] < bids[bottom + below]:
            below += 1
        if bids[bottom + below] >= bid:
            break
        bids[bottom + place] = bids[bottom + below]
        holders[bottom + place] = holders[bottom + below]
        place = below
    bids[bottom + place], holders[bottom + place] = bid, edge

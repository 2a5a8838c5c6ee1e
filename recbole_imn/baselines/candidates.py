"""Candidates of rows with what can be told of each: counts, recency and places in lists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.baselines.item_fields import ItemFields
from recbole_imn.baselines.trending import trending
from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Floats, Integers
from recbole_imn.model.sources import CoVisited, OwnItems, Source, Successors
from recbole_imn.model.sources.base import N_NUMBERS, Numbers, Proposals
from recbole_imn.model.sources.neighbours import ANCHORS
from recbole_imn.model.sources.user_numbers import N_USER_NUMBERS, user_numbers
from recbole_imn.past import Past
from recbole_imn.units import DAY

# Half-lives of the lists of trending items, in seconds, and the length of each.
HALF_LIVES = (1.0 * DAY, 30.0 * DAY)
N_TREND = 20
# Of an item that no source proposes, in all of that source's columns.
MISSING = np.nan


class _OwnItems(OwnItems):
    def __init__(self) -> None:
        """Need no network."""


class _CoVisited(CoVisited):
    def __init__(self) -> None:
        """Need no network."""


class _Successors(Successors):
    def __init__(self) -> None:
        """Give the latest ten for each anchor."""
        self.each = 10
        self.n_slots = ANCHORS * self.each


# Columns: of each source its numbers, the item's first slot there, and how many it has; of each
# list of trending items the logarithm of the item's share, and its slot; the user's numbers; and
# those of item fields, where there are any.
# Nothing that is counted over the training part: a training row would know what comes after it.
_SOURCES = (_OwnItems, _CoVisited, _Successors)
OF_SOURCE = N_NUMBERS + 2
FIRST_TREND = len(_SOURCES) * OF_SOURCE
FIRST_OF_USER = FIRST_TREND + 2 * len(HALF_LIVES)
FIRST_OF_FIELDS = FIRST_OF_USER + N_USER_NUMBERS


@dataclass(frozen=True)
class Candidates:
    """Items that rows may go on to, row by row.

    Attributes
    ----------
    items : int64 [n]
    columns : float32 [n, n_columns]
        What is told of them; nan where a source has nothing to say.
    starts : int64 [n_rows + 1]
        Where the candidates of each row start.
    """

    items: Integers
    columns: Numbers
    starts: Integers


class CandidateSources:
    """The sources of our networks' pointers, without a network, and trending items.

    Parameters
    ----------
    n_items : int
    fields : ItemFields
        What else is told of items.

    Attributes
    ----------
    n_columns : int
        How much is told of a candidate.
    """

    def __init__(self, n_items: int, fields: ItemFields) -> None:
        self.fields, self.n_columns = fields, FIRST_OF_FIELDS + fields.n_columns
        # Of items that trend alike the smaller id is first.
        self._places = np.arange(n_items)
        self._sources: tuple[Source, ...] = tuple(kind() for kind in _SOURCES)

    def of_rows(self, past: Past, events: Integers) -> Candidates:
        """Give the candidates before some events of the log.

        Parameters
        ----------
        past : Past
            Its position must not lie before the last of the events.
        events : int64 [n_rows]
            Only what lies before each is read, and its user and time.
        """
        facts, log = past.look_at_events(events), past.log
        n_slots = [source.n_slots for source in self._sources]
        proposals = Proposals.empty(len(events), sum(n_slots))
        ends = np.cumsum(n_slots)
        for source, stop in zip(self._sources, ends.tolist(), strict=True):
            source.propose(past, facts, proposals.slots(stop - source.n_slots, stop))
        trends = [
            trending(events, log.item, log.time, half_life, self._places, N_TREND)
            for half_life in HALF_LIVES
        ]
        trend, shares = (np.stack(parts, axis=1) for parts in zip(*trends, strict=True))
        of_users = user_numbers(past, facts)
        widest = proposals.items.shape[1] + trend.shape[1] * trend.shape[2]
        items = np.empty(len(events) * widest, np.int64)
        columns = np.full((len(items), self.n_columns), MISSING, np.float32)
        starts = np.zeros(len(events) + 1, np.int64)
        _merge(
            proposals.items, proposals.numbers, ends, trend, shares, of_users,
            np.full(len(self._places), -1), items, columns, starts,
        )  # fmt: skip
        found = Candidates(items[: starts[-1]], columns[: starts[-1]], starts)
        own = proposals.items[:, : n_slots[0]]
        self.fields.fill(own, found.items, starts, found.columns[:, FIRST_OF_FIELDS:])
        return found


@exact
def _merge(
    proposed: Integers,
    numbers: Numbers,
    ends: Integers,
    trend: Integers,
    shares: Floats,
    of_users: Numbers,
    met: Integers,
    items: Integers,
    columns: Numbers,
    starts: Integers,
) -> None:
    """Join what is told of an item by several sources, candidates in the order they are met."""
    n = 0
    for row in range(len(proposed)):
        n = _merge_sources(proposed[row], numbers[row], ends, n, met, items, columns)
        n = _merge_trends(trend[row], shares[row], n, met, items, columns)
        for k in range(starts[row], n):
            columns[k, FIRST_OF_USER:FIRST_OF_FIELDS] = of_users[row]
            met[items[k]] = -1
        starts[row + 1] = n


@exact
def _candidate(item: int, n: int, met: Integers, items: Integers) -> int:
    """Give the number of the candidates, one more if an item was not among them."""
    if met[item] < 0:
        met[item] = n
        items[n] = item
        n += 1
    return n


@exact
def _merge_sources(
    proposed: Integers,
    numbers: Numbers,
    ends: Integers,
    n: int,
    met: Integers,
    items: Integers,
    columns: Numbers,
) -> int:
    start = 0
    for source in range(len(ends)):
        first = source * OF_SOURCE
        for slot in range(start, ends[source]):
            if proposed[slot] == 0:
                continue
            n = _candidate(proposed[slot], n, met, items)
            told = columns[met[proposed[slot]]]
            if np.isnan(told[first + N_NUMBERS]):
                told[first : first + N_NUMBERS] = numbers[slot]
                told[first + N_NUMBERS] = slot - start
                told[first + N_NUMBERS + 1] = 0.0
            told[first + N_NUMBERS + 1] += 1.0
        start = ends[source]
    return n


@exact
def _merge_trends(
    trend: Integers, shares: Floats, n: int, met: Integers, items: Integers, columns: Numbers
) -> int:
    for which in range(len(trend)):
        first = FIRST_TREND + 2 * which
        for slot in range(trend.shape[1]):
            item = trend[which, slot]
            if item == 0:
                break
            n = _candidate(item, n, met, items)
            columns[met[item], first] = np.log(shares[which, slot])
            columns[met[item], first + 1] = slot
    return n

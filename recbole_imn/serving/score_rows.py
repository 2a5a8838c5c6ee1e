"""Parts of a score as rows for people, with raw ids and names of attributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_imn.log import NO_EVENT, Floats
from recbole_imn.model.explaining import EVERYBODY, TASTE_ORIGINS, ScoreParts
from recbole_imn.serving.market import Market
from recbole_imn.serving.spans import ago, counted
from recbole_imn.serving.times import LogClock

FRESHNESS, TASTE = "freshness", "taste"
PREDICTION, DENSITY, PROPOSED = "prediction", "density", "proposals"


@dataclass(frozen=True)
class PartRow:
    """One summand of a score.

    Attributes
    ----------
    name : str
        'prediction' or 'density' and, after a colon, where of the context it comes from; a
        term's name; or 'proposals', what candidates of the past add.
    value : float
    typical : float
        Mean of the same part over the items that are ranked.
    detail : str
    """

    name: str
    value: float
    typical: float
    detail: str

    @property
    def kind(self) -> str:
        """The name before its colon."""
        return self.name.partition(": ")[0]

    @property
    def origin(self) -> str:
        """The name behind its colon."""
        return self.name.partition(": ")[2]

    @property
    def lead(self) -> float:
        """How much more it is than is typical."""
        return self.value - self.typical


@dataclass(frozen=True)
class ProposalRow:
    """One way in which the past points to the item.

    Attributes
    ----------
    source : str
    item : str
        The item of the user's own event that led to it; where the source does not tell of one,
        that of the event that points to it.
    behavior : str or None
        What was done in this event.
    time, ago : str
        When it was, as ISO 8601, and before the moment that is explained.
    pointed : str
        When the event was that points to the item: for neighbours, of anybody.
    share : float
        Of the item's weight in the mixture.
    log_weight : float
    """

    source: str
    item: str
    behavior: str | None
    time: str
    ago: str
    pointed: str
    share: float
    log_weight: float


@dataclass(frozen=True)
class TasteRow:
    """What one attribute adds by taste.

    Attributes
    ----------
    attribute : str
    content : str or float or None
        What the item has of it.
    value, typical : float
        As of :class:`PartRow`.
    everybody, user, history : float
        Summands of the value by whose taste it is; the last by what the user came by lately.
    """

    attribute: str
    content: Any
    value: float
    typical: float
    everybody: float
    user: float
    history: float


def part_rows(market: Market, at: float, parts: ScoreParts) -> Iterator[PartRow]:
    """Give the summands of the first item's score; the others are what it is compared with."""
    for kind, values in ((PREDICTION, parts.prediction[0]), (DENSITY, parts.density[0])):
        # A kind without any weight in the ranking has no rows.
        for place, origin in enumerate(parts.origins if values.any() else ()):
            # Nobody shall read of a minus nothing.
            of_origin, sides = values[:, place].sum(axis=1), values[0, place] + 0.0
            detail = f"by the item's state {sides[0]:+.4g}, by its static embedding {sides[1]:+.4g}"
            if kind == PREDICTION and origin == EVERYBODY:
                detail += "; its own length is part of it"
            yield _row(f"{kind}: {origin}", of_origin, detail)
    for name, values in parts.terms.items():
        detail = _seen(market, int(parts.item[0, 0]), at) if name == FRESHNESS else ""
        yield _row(name, values[0], detail)
    if parts.sources:
        n = len(parts.candidates.of(0, 0))
        share = 1 - parts.density_share[0, 0]
        yield _row(PROPOSED, parts.mixture[0], f"{counted(n, 'proposal')}, {share:.0%} of the mass")


def _row(name: str, values: Floats, detail: str) -> PartRow:
    return PartRow(name, float(values[0]), _typical(values), detail)


def _typical(values: Floats) -> float:
    """Give the mean over the items that an item is compared with; 0 of none."""
    return float(values[1:].mean()) if len(values) > 1 else 0.0


def _seen(market: Market, item: int, at: float) -> str:
    known = market.session.past.look_at_items([item], [at])
    if known.latest[0] == NO_EVENT:
        return "never seen before"
    span = ago(float(known.elapsed[0]))
    return (
        f"seen once, {span}" if known.count[0] == 1 else f"seen {known.count[0]} times, last {span}"
    )


def proposal_rows(
    market: Market, clock: LogClock, at: float, parts: ScoreParts
) -> Iterator[ProposalRow]:
    """Give what points to the first item, the largest share first."""
    log, found = market.session.past.log, parts.candidates.of(0, 0)
    for place in range(len(found)):
        pointed = int(found.event[place])
        own = int(found.anchor[place])
        event = own if own != NO_EVENT else pointed
        yield ProposalRow(
            parts.sources[found.source[place]],
            market.items.name(int(log.item[event])),
            market.snapshot.behaviours[int(log.behaviour[event])] or None,
            clock.text(float(log.time[event])),
            ago(at - float(log.time[event])),
            clock.text(float(log.time[pointed])),
            float(found.share[place]),
            float(found.log_weight[place]),
        )


def taste_rows(market: Market, parts: ScoreParts) -> list[TasteRow]:
    """Give the part 'taste' of the first item by attributes, the largest first."""
    if parts.taste is None:
        return []
    owners = np.array(market.snapshot.feature_maps["item_features"].owners)
    rows = []
    for attribute in dict.fromkeys(owners.tolist()):
        by_item = parts.taste[0][:, owners == attribute].sum(axis=1)
        known = attribute in market.snapshot.attributes.names
        number = int(parts.item[0, 0])
        content = market.snapshot.attributes.cells(attribute, [number])[0] if known else None
        values = by_item.sum(axis=1)
        whose = dict(zip(TASTE_ORIGINS, by_item[0].tolist(), strict=True))
        rows.append(TasteRow(attribute, content, float(values[0]), _typical(values), **whose))
    return sorted(rows, key=lambda row: -abs(row.value - row.typical))

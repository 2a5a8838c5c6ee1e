"""Why an item has its place for a user, in figures and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from torch import Tensor

from recbole_imn.errors import CounterfactualError
from recbole_imn.log import Floats, Integers
from recbole_imn.serving.checks import whole
from recbole_imn.serving.lists import Candidates, Lists
from recbole_imn.serving.market import Market
from recbole_imn.serving.names import raw_id
from recbole_imn.serving.score_rows import (
    PartRow,
    ProposalRow,
    TasteRow,
    part_rows,
    proposal_rows,
    taste_rows,
)
from recbole_imn.serving.spans import counted
from recbole_imn.serving.times import LogClock
from recbole_imn.serving.wording import sentence_of
from recbole_imn.session import Query, Session
from recbole_imn.session.counterfactual import (
    MOST_EVENTS,
    Anchor,
    has_events,
    latest_purchases,
    with_all_events,
    without_events,
)
from recbole_imn.session.parts import score_parts

if TYPE_CHECKING:
    from recbole_imn.serving.answers import Answers

# Items that a part is compared with: an even choice of all that are ranked.
MOST_COMPARED = 1000


@dataclass(frozen=True)
class PurchaseChange:
    """What a user's last purchases have done to an item's place.

    Attributes
    ----------
    items : tuple of str
        What was purchased, oldest first.
    times : tuple of str
        When, as ISO 8601.
    rank_without : int or None
        The item's rank had they not happened.
    change : float
        By how much they have moved its score, against the mean of the items ranked: scores
        themselves compare items of one list, and not two lists.
    replayed : int
        Events that were replayed to find out.
    """

    items: tuple[str, ...]
    times: tuple[str, ...]
    rank_without: int | None
    change: float
    replayed: int


@dataclass(frozen=True)
class Explanation:
    """Why an item has its place.

    Attributes
    ----------
    user, item : str
        Raw ids.
    at : str
        The moment, as ISO 8601.
    score : float
    rank : int or None
        From 1; None where the item is not among those ranked.
    n_ranked : int
        Items that it is ranked among.
    parts : tuple of PartRow
        Their values add up to the score.
    proposals : tuple of ProposalRow
        What of the past points to the item, the largest share first.
    taste : tuple of TasteRow
        The part 'taste' by attributes of the item, the largest first.
    purchases : PurchaseChange or None
        None where nobody asked, or :attr:`why_not` says why it is not known.
    why_not : str or None
        Why it is not known what the purchases have changed.
    simulated : str or None
        The notice that goes with simulated data.
    is_new : bool
        Whether the log has no event of the user: the same is told of every newcomer.
    has_purchased : bool
        Whether the log has a purchase of the user.
    """

    user: str
    item: str
    at: str
    score: float
    rank: int | None
    n_ranked: int
    parts: tuple[PartRow, ...]
    proposals: tuple[ProposalRow, ...]
    taste: tuple[TasteRow, ...]
    purchases: PurchaseChange | None
    why_not: str | None
    simulated: str | None
    is_new: bool = False
    has_purchased: bool = True

    @property
    def sentence(self) -> str:
        """The most important of it, for people."""
        return sentence_of(self)

    def to_frame(self) -> pd.DataFrame:
        """Give the parts as a table: ``name``, ``value``, ``typical``, ``detail``."""
        columns = ("name", "value", "typical", "detail")
        rows = [[getattr(part, name) for name in columns] for part in self.parts]
        return pd.DataFrame(rows, columns=list(columns))

    def to_dict(self) -> dict[str, Any]:
        """Give everything, the sentence included, in values that JSON has."""
        return {"sentence": self.sentence, **_listed(asdict(self))}


def explain(
    recommender: Answers,
    user: Any,
    item: Any,
    at: Any = None,
    purchases: int = 1,
    candidates: Candidates = None,
    anchors: Sequence[Anchor] = (),
    most_events: int = MOST_EVENTS,
) -> Explanation:
    """Say why an item has its place for a user.

    Writers wait while states are looked at, and not while the log is replayed without the
    purchases.

    Parameters
    ----------
    recommender : Answers
    user, item : str or int
        Raw ids; a user who is not known is a new one.
    at, candidates
        As of :meth:`~recbole_imn.serving.Recommender.recommend`.
    purchases : int
        What the user's last ones of this number have changed; 0 does not ask.
    anchors, most_events
        As of :func:`~recbole_imn.session.counterfactual.without_purchases`.

    Raises
    ------
    UnknownItemError
        If nobody has told of the item.
    ServingError
        If something else that is asked for does not exist.
    """
    name, wanted = raw_id(user, "user"), raw_id(item, "item")
    purchases = whole(purchases, "purchases", 0)
    market, clock = recommender.market, recommender.clock
    with recommender.standing_still(at) as moment:
        asked = _Asked.of(market, name, wanted, moment, candidates)
        parts = score_parts(asked.session, asked.query(), [asked.compared()])
        rows = (
            tuple(part_rows(market, asked.at, parts)),
            tuple(proposal_rows(market, clock, asked.at, parts)),
            tuple(taste_rows(market, parts)),
        )
        fork, events, why_not = _fork(asked, name, purchases, anchors, most_events)
        unchanged = fork and with_all_events(asked.session, fork, anchors)
        bought = _purchased(market, clock, events)
        has_come, has_purchased = has_events(asked.session, asked.user)
    change = asked.change(unchanged, fork, *bought) if fork and unchanged else None
    return Explanation(
        name, wanted, clock.text(asked.at), asked.score, asked.rank(asked.scores),
        len(asked.items), *rows, change, why_not, recommender.simulated,
        is_new=not has_come, has_purchased=has_purchased,
    )  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    """A question in numbers, with the scores of now."""

    session: Session
    user: int
    item: int
    at: float
    items: Integers
    scores: Floats

    @classmethod
    def of(
        cls, market: Market, user: str, item: str, moment: float, candidates: Candidates
    ) -> _Asked:
        """Look up names, and score."""
        session, number = market.session, market.number_of(item)
        times = session.past.log.time
        at = max(moment, float(times[-1])) if len(times) else moment
        items = Lists(market).candidates(candidates, at)
        known = market.users.get(user)
        one = market.stranger if known is None else known
        return cls(session, one, number, at, items, _scores(session, one, at))

    @property
    def score(self) -> float:
        """Score of the item."""
        return float(self.scores[self.item])

    def query(self) -> Query:
        """Ask the session for the user."""
        return self.session.query([self.user], [self.at])

    def compared(self) -> Integers:
        """Give the item, and after it some of those that it is ranked among, int64 [n]."""
        step = max(1, -(-len(self.items) // MOST_COMPARED))
        return np.concatenate([[self.item], self.items[::step]]).astype(np.int64)

    def rank(self, scores: Floats) -> int | None:
        """Give the item's rank by scores of the catalogue; equal ones by their numbers."""
        if not (self.items == self.item).any():
            return None
        own, others = scores[self.item], scores[self.items]
        before = (others > own) | ((others == own) & (self.items < self.item))
        return 1 + int(before.sum())

    def change(
        self, unchanged: Session, fork: Session, items: tuple[str, ...], times: tuple[str, ...]
    ) -> PurchaseChange:
        """Compare with the scores of a session in which purchases are absent."""
        replayed = len(fork.past.log) - fork.position
        is_own = unchanged is self.session
        known = self.scores if is_own else _scores(unchanged, self.user, self.at)
        without = _scores(fork, self.user, self.at)
        moved = self._against_mean(known) - self._against_mean(without)
        # What a replay says otherwise than the states of now is no change by the purchase.
        ranked = np.where(known == self.scores, without, self.scores + (without - known))
        return PurchaseChange(items, times, self.rank(ranked), moved, replayed)

    def _against_mean(self, scores: Floats) -> float:
        mean = scores[self.items].mean() if len(self.items) else 0.0
        return float(scores[self.item] - mean)


def _purchased(
    market: Market, clock: LogClock, events: Integers
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the raw ids and times of the items that were purchased."""
    log = market.session.past.log
    items = tuple(market.items.name(int(item)) for item in log.item[events])
    return items, tuple(clock.text(float(time)) for time in log.time[events])


def _fork(
    asked: _Asked, user: str, n: int, anchors: Sequence[Anchor], most_events: int
) -> tuple[Session | None, Integers, str | None]:
    """Give a session without the last purchases, their events, or why there is none."""
    none: Integers = np.empty(0, np.int64)
    if n == 0:
        return None, none, None
    events = latest_purchases(asked.session, asked.user, n)
    if len(events) < n:
        there = counted(len(events), "purchase")
        return None, none, f"user {user} has {there} in the log, so {n} cannot be taken away"
    try:
        return without_events(asked.session, events, anchors, most_events), events, None
    except CounterfactualError as error:
        return None, none, str(error)


def _scores(session: Session, user: int, at: float) -> Floats:
    scores: Tensor = session.scores(session.query([user], [at]))[0]
    found: Floats = scores.double().cpu().numpy()
    return found


def _listed(value: Any) -> Any:
    """Give tuples as lists, as JSON does."""
    if isinstance(value, dict):
        return {name: _listed(one) for name, one in value.items()}
    return [_listed(one) for one in value] if isinstance(value, list | tuple) else value

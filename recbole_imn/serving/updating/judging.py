"""Old and new weights on the same rows, beside a rule that learns nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from recbole_imn.evaluation.full_ranking import ranks_of_scores
from recbole_imn.evaluation.metrics import metrics_of_ranks
from recbole_imn.evaluation.significance import Comparison, compare
from recbole_imn.log import NO_EVENT, Floats, Integers
from recbole_imn.model.recency import popularity, recent_first
from recbole_imn.past import Past
from recbole_imn.session import Session

CUTS = (10,)
#: Scores that are held at a time, at most.
MOST_SCORES = 1 << 24
MOST_ROWS = 256
# Of the user's latest events, those that RecentHistory looks at, as its settings have it.
RECENT_EVENTS = 1000
Score = Callable[[Integers], Tensor]


@dataclass(frozen=True)
class Judgement:
    """How good weights are on events that nobody has learned from.

    Attributes
    ----------
    rows, users : int
        Events with an earlier one of their user, and whose they are.
    old, new, history : dict of str to float
        Metrics of the old weights, of the new ones, and of the user's own recent items.
    comparison : Comparison
        The new weights against the old ones, users resampled.
    """

    rows: int
    users: int
    old: dict[str, float]
    new: dict[str, float]
    history: dict[str, float]
    comparison: Comparison

    @property
    def is_not_worse(self) -> bool:
        """Whether the new weights are at least as good, by NDCG@10."""
        return self.new["ndcg@10"] >= self.old["ndcg@10"]


def rows_between(past: Past, start: int, stop: int) -> Integers:
    """Give the events of which something is known of the user, int64 [n]."""
    events = np.arange(start, stop)
    found: Integers = events[past.chains.user[start:stop] != NO_EVENT]
    return found


def ranks_by(
    score: Score, past: Past, rows: Integers, n_items: int, what: str, progress: bool
) -> Floats:
    """Rank the true item of rows among all items, float64 [n].

    Parameters
    ----------
    score : callable
        Gives scores [n, n_ids] of events, padding included.
    past : Past
    rows : int64 [n]
        Events in rising order.
    n_items : int
        Numbers of items, padding included; others have no name yet.
    what : str
        For the bar.
    progress : bool
    """
    size = max(1, min(MOST_ROWS, MOST_SCORES // max(past.log.n_items, 1)))
    parts: list[Floats] = []
    with tqdm(total=len(rows), unit="row", desc=f"ranking, {what}", disable=not progress) as bar:
        for start in range(0, len(rows), size):
            events = rows[start : start + size]
            own = torch.from_numpy(past.log.item[events].astype(np.int64)) - 1
            ranks, _ = ranks_of_scores(score(events)[:, 1:n_items].cpu(), own)
            parts.append(ranks.numpy())
            bar.update(len(events))
    return np.concatenate(parts)


def ranks_of_session(
    session: Session, rows: Integers, n_items: int, what: str, progress: bool
) -> Floats:
    """Rank by the weights of a session, float64 [n]."""
    return ranks_by(session.scores_before, session.past, rows, n_items, what, progress)


def ranks_of_history(
    past: Past, n_known: int, rows: Integers, n_items: int, progress: bool
) -> Floats:
    """Rank by the user's own recent items, then by how popular items were, float64 [n].

    Parameters
    ----------
    n_known : int
        Events whose items are counted.
    past, rows, n_items, progress
        As of :func:`ranks_by`.
    """
    popular = popularity(past.log.item[:n_known], past.log.n_items)

    def score(events: Integers) -> Tensor:
        return recent_first(past, events, popular, RECENT_EVENTS)

    return ranks_by(score, past, rows, n_items, "recent history", progress)


def judge(past: Past, rows: Integers, old: Floats, new: Floats, history: Floats) -> Judgement:
    """Compare ranks of the same rows."""
    users: Any = past.log.user[rows].astype(str).astype(object)
    return Judgement(
        len(rows),
        len(np.unique(past.log.user[rows])),
        metrics_of_ranks(old, CUTS),
        metrics_of_ranks(new, CUTS),
        metrics_of_ranks(history, CUTS),
        compare("new weights", "old weights", [new], [old], users),
    )

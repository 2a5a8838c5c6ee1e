"""The best candidates of many users, scored some users at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from recbole_imn.log import Flags, Floats, Integers
from recbole_imn.serving.allocation.calibration import calibrate
from recbole_imn.serving.choice import best
from recbole_imn.serving.lists import BATCH, Lists


@dataclass(frozen=True)
class Offer:
    """What there is for whom at a moment.

    Attributes
    ----------
    lists : Lists
        Scores users; nobody moves its market on meanwhile.
    names : sequence of str
        Raw ids of the users, a row each.
    moment : float
        Seconds of the log.
    items : int64 [n_items]
        Numbers of the candidates, rising.
    exclude : sequence of str, or {'seen', 'purchased'}
        Items that are nobody's candidate, or not those users' who had events with them.
    temperature : float
    prices : float64 [n_items], optional
    budgets : float64 [n_users], optional
        Both or neither.
    """

    lists: Lists
    names: Sequence[str]
    moment: float
    items: Integers
    exclude: Sequence[str] | str = ()
    temperature: float = 1.0
    prices: Floats | None = None
    budgets: Floats | None = None

    def scores(self, rows: Integers) -> Floats:
        """Give probabilities over all candidates; minus infinity for what is left out.

        The next item may well be one that is left out, so probabilities are those among all.

        Parameters
        ----------
        rows : int64 [n]

        Returns
        -------
        float64 [n, n_items]
        """
        names = [self.names[row] for row in rows]
        scores = self.lists.scores(names, self.moment, self.items).detach().cpu().numpy()
        found = calibrate(scores, self.temperature)
        left_out = self.lists.left_out(names, self.items, self.exclude)
        for place, row in enumerate(rows):
            found[place, left_out[place]] = -np.inf
            if self.prices is not None and self.budgets is not None:
                found[place, self.prices > self.budgets[row]] = -np.inf
        return found


@dataclass(frozen=True)
class Shortlists:
    """The best candidates of each user.

    Attributes
    ----------
    items : int64 [n_users, width]
        By falling score; 0 for none.
    scores : float64 [n_users, width]
        Probabilities; minus infinity for none.
    outside : float64 [n_users]
        The score of the last one where more candidates were left out, else 0.
    left_out : bool [n_users]
        Whether there are more.
    """

    items: Integers
    scores: Floats
    outside: Floats
    left_out: Flags

    @property
    def width(self) -> int:
        """Length of the longest shortlist."""
        return int(self.items.shape[1])

    def with_longer(self, rows: Integers, longer: Shortlists) -> Shortlists:
        """Put longer shortlists in the place of those of some rows."""
        n_users, n_more = len(self.items), longer.width - self.width
        items = np.hstack([self.items, np.zeros((n_users, n_more), np.int64)])
        scores = np.hstack([self.scores, np.full((n_users, n_more), -np.inf)])
        outside, left_out = self.outside.copy(), self.left_out.copy()
        items[rows], scores[rows] = longer.items, longer.scores
        outside[rows], left_out[rows] = longer.outside, longer.left_out
        return Shortlists(items, scores, outside, left_out)


def shortlists(offer: Offer, rows: Integers, width: int) -> Shortlists:
    """Score users, and keep the best candidates of each; ties by number.

    Memory is that of the result and of the scores of 256 users.

    Parameters
    ----------
    offer : Offer
    rows : int64 [n]
        Users of the offer.
    width : int
        Candidates to be kept of each; all if there are fewer.

    Returns
    -------
    Shortlists
        Of the rows, in their order.
    """
    width = min(width, len(offer.items))
    items = np.zeros((len(rows), width), np.int64)
    scores = np.full((len(rows), width), -np.inf)
    left_out = np.zeros(len(rows), np.bool_)
    for start in range(0, len(rows), BATCH):
        for place, values in enumerate(offer.scores(rows[start : start + BATCH]), start):
            items[place], scores[place] = best(offer.items, torch.from_numpy(values), width)
            left_out[place] = np.isfinite(values).sum() > width
    last = scores[:, -1] if width else np.zeros(len(rows))
    return Shortlists(items, scores, np.where(left_out, last, 0.0), left_out)

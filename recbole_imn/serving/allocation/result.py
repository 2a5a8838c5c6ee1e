"""Lists that keep to the stock, and what they cost and gain."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from recbole_imn.serving.allocation.comparing import ALLOCATED


@dataclass(frozen=True)
class Allocation:
    """Lists of all users, made together.

    Attributes
    ----------
    lists : DataFrame
        Columns user, rank (from 1), item and score, by user in the order given and rank.
    loss : DataFrame
        A row a way to make the lists: ``own lists`` as if there were enough of everything, the
        same with what earlier users have used up struck out, ``first come, first served`` with
        the best of what is left instead, and the ``allocation``. Columns: ``hits``, the summed
        score (expected hits, of calibrated scores); ``loss``, the share of the own lists' hits
        that is lost; ``entries``, the length of all lists together.
    exposure : DataFrame
        The same rows; columns of :class:`~recbole_imn.serving.allocation.Exposure`.
    method : str
        How the lists were made: 'own lists' (there was enough of everything), 'exact',
        'auction' or 'greedy'.
    bound : float
        No lists that keep to the stock have a larger sum, whatever their candidates.
    """

    lists: pd.DataFrame
    loss: pd.DataFrame
    exposure: pd.DataFrame
    method: str
    bound: float

    @property
    def hits(self) -> float:
        """The summed score of the lists."""
        return float(self.loss["hits"][ALLOCATED])

    @property
    def gap(self) -> float:
        """The largest share of the best possible sum that these lists may miss."""
        return max(0.0, 1 - self.hits / self.bound) if self.bound else 0.0

    def to_frame(self) -> pd.DataFrame:
        """Give the lists: columns user, rank, item, score."""
        return self.lists.copy()

    def __str__(self) -> str:
        """Show what is lost and how exposure is spread, as a table."""
        table = self.loss.join(self.exposure)
        forms = {"hits": "{:,.2f}", "loss": "{:.1%}", "entries": "{:,}", "gini": "{:.3f}",
                 "shown": "{:.1%}", "most": "{:,}"}  # fmt: skip
        text = table.to_string(formatters={name: form.format for name, form in forms.items()})
        return f"{text}\nmethod: {self.method}; at most {self.gap:.2%} below the best possible"

"""Items as they are compared: states and static embeddings, centred and of unit length."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recbole_imn.kernels.conditioning import condition, condition_rows
from recbole_imn.kernels.representation import join, join_with_latest
from recbole_imn.model.statics import StaticTable


class Conditioning(nn.Module):
    """Centre states and scale them to unit length, so that products of them tell something.

    Sigmoid states share a large constant part, which hides their differences.

    Parameters
    ----------
    width : int
        Size of a state.
    centre : float
        Where the learnable centre starts.
    unit : bool
        False gives the states as they are.
    """

    def __init__(self, width: int, centre: float, unit: bool) -> None:
        super().__init__()
        self.width = width
        self.centre = nn.Parameter(torch.full((width,), centre)) if unit else None

    def forward(self, states: Tensor, rows: Tensor | None = None) -> Tensor:
        """Condition states, float [n, width].

        Parameters
        ----------
        states : float [m, stored]
            The first ``width`` columns count.
        rows : int64 [n], optional
            Which of them; all by default.
        """
        if self.centre is None:
            chosen = states if rows is None else states[rows]
            return chosen[:, : self.width]
        if rows is None:
            return condition(states[:, : self.width], self.centre)
        return condition_rows(states, rows, self.centre)

    def beside(
        self, states: Tensor, rows: Tensor, table: StaticTable, embedded: Tensor, places: Tensor
    ) -> Tensor:
        """Give conditioned states and static embeddings side by side, float [n, 2 * width].

        Parameters
        ----------
        states : float [m, stored]
        rows : int64 [n]
            Which of them.
        table : StaticTable
        embedded : float [n_distinct, width]
            Rows of the table as they are.
        places : int64 [n]
            Which of them.
        """
        if self.centre is not None and table.unit:
            return join(states, rows, self.centre, embedded, places)
        return torch.cat([self(states, rows), table.scaled(embedded[places])], dim=1)

    def with_latest(
        self,
        states: Tensor,
        rows: Tensor,
        table: StaticTable,
        embedded: Tensor,
        places: Tensor,
        latest_rows: Tensor,
        latest: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give :meth:`beside`, and both parts of other items by themselves.

        Parameters
        ----------
        states, rows, table, embedded, places
            As of :meth:`beside`.
        latest_rows : int64 [m]
            Where the states of other items lie.
        latest : int64 [n_latest]
            Which of the rows of the table.

        Returns
        -------
        float [n, 2 * width], [m, width], [n_latest, width]
        """
        if self.centre is not None and table.unit:
            return join_with_latest(
                states, rows, self.centre, embedded, places, latest_rows, latest
            )
        of_latest = table.scaled(embedded.index_select(0, latest))
        beside = self.beside(states, rows, table, embedded, places)
        return beside, self(states, latest_rows), of_latest

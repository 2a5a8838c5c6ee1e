"""A running mean of weights over steps, exact for tables of which a step changes few rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from recbole_imn.kernels.weight_average import catch_up
from recbole_imn.processes.common import Place, in_common, wait_for_sharers, zeros_in_common

# Numbers that change places together.
BLOCK = 1 << 20


class WeightAverage:
    r"""What is validated and kept in place of the latest weights.

    After step :math:`t` and with a horizon of :math:`H` steps,

    .. math::
        \bar w_t = \bar w_{t-1} + (w_t - \bar w_{t-1}) / \min(t + 1, H), \quad \bar w_0 = w_0 ,

    the mean of all weights so far, and later one that forgets. A row of a table that no step
    from :math:`s + 1` to :math:`t` has changed is brought up to date in one go:
    :math:`\bar w_t = w + (\bar w_s - w) P_t / P_s`, with :math:`P_t` the product of
    :math:`1 - 1 / \min(k + 1, H)` over the steps :math:`k` up to :math:`t`.

    Parameters
    ----------
    dense : sequence of Tensor
        Weights that every step may change.
    tables : sequence of float [n_rows, width]
        Weights of which a step changes the rows of their sparse gradients.
    horizon : int
        Steps, 2 or more.
    place : Place, optional
        Of this process, where those of a machine have the tables in common; so they have the
        means of these then, and each keeps those of its rows.

    Attributes
    ----------
    in_place : bool
        Whether the model has the means for weights at present, and the means its weights.
    """

    @torch.no_grad()
    def __init__(
        self,
        dense: Sequence[Tensor],
        tables: Sequence[Tensor],
        horizon: int,
        place: Place | None = None,
    ) -> None:
        self.horizon, self._place = horizon, place
        self._dense, self._tables = list(dense), list(tables)
        zeros = torch.zeros if place is None else zeros_in_common
        self.steps, self.in_place = 0, False
        self._means = [weight.clone() for weight in self._dense]
        self._means += [table.clone() if place is None else in_common(table) for table in tables]
        # The step that the mean of each row is of.
        self._known = [
            zeros((len(table),), dtype=torch.int64, device=table.device) for table in tables
        ]

    @torch.no_grad()
    def begin(self) -> None:
        """Begin with the present weights."""
        self.steps, self.in_place = 0, False
        for mean, weight in zip(self._means, self._weights, strict=True):
            mean.copy_(weight)
        for known in self._known:
            known.zero_()

    @property
    def _weights(self) -> list[Tensor]:
        return self._dense + self._tables

    @torch.no_grad()
    def before_step(self) -> None:
        """Bring the rows that have gradients up to date, before a step changes them."""
        for number, table in enumerate(self._tables):
            if table.grad is not None and table.grad._nnz():
                self._catch_up(number, table.grad._indices()[0])

    @torch.no_grad()
    def after_step(self) -> None:
        """Take in the weights that a step has changed."""
        self.steps += 1
        means = self._means[: len(self._dense)]
        torch._foreach_lerp_(means, self._dense, 1 / min(self.steps + 1, self.horizon))

    def _catch_up(self, number: int, rows: Tensor) -> None:
        """Bring rows of a table to the present step; they have not changed since their own."""
        mean, table = self._means[len(self._dense) + number], self._tables[number]
        catch_up(mean, table, self._known[number], rows, self.steps, self.horizon)

    def put_in(self) -> None:
        """Let the model have the means for weights until :meth:`take_out`."""
        if not self.in_place:
            self._catch_up_all()
            self._exchange()

    def take_out(self) -> None:
        """Give the model its latest weights back."""
        if self.in_place:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        """Let weights and means change places, a block at a time: tables may be most of memory."""
        # Others may be reading what is in common, and are to read what all have changed.
        wait_for_sharers(self._place)
        n_dense = len(self._dense)
        for weight, mean in zip(self._dense, self._means[:n_dense], strict=True):
            _swap(weight, mean)
        for table, mean in zip(self._tables, self._means[n_dense:], strict=True):
            own = self._own(len(table))
            _swap(table[own], mean[own])
        wait_for_sharers(self._place)
        self.in_place = not self.in_place

    def _own(self, n: int) -> slice:
        """Give the rows of a table that this process brings up to date when there is time."""
        return slice(0, n) if self._place is None else self._place.rows(n)

    def _catch_up_all(self) -> None:
        for number, known in enumerate(self._known):
            own = self._own(len(known))
            self._catch_up(number, torch.arange(own.start, own.stop, device=known.device))

    def state_dict(self) -> dict[str, Any]:
        """Give steps, means, and of which step the mean of each row is."""
        means = self._weights if self.in_place else self._means
        return {"steps": self.steps, "means": means, "known": self._known}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave; the weights are the latest ones then."""
        self.steps, self.in_place = int(state["steps"]), False
        for mine, name in ((self._means, "means"), (self._known, "known")):
            for kept, value in zip(mine, state[name], strict=True):
                kept.copy_(value)


def _swap(weight: Tensor, mean: Tensor) -> None:
    """Let two tensors change places."""
    rows = max(1, BLOCK // max(1, weight[:1].numel())) if weight.ndim else 1
    for one, other in zip(_blocks(weight, rows), _blocks(mean, rows), strict=True):
        kept = one.clone()
        one.copy_(other)
        other.copy_(kept)


def _blocks(values: Tensor, rows: int) -> Sequence[Tensor]:
    """Give a tensor in blocks of some rows, without copying."""
    return values.split(rows) if values.ndim else (values,)

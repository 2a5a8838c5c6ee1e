"""Update cells of the recursion, with their backward passes written by hand.

A cell turns the pre-activations of a level, and the states that they came from, into new
states. Each event has one group of pre-activations and one state for every slot; a cell
sees slots as rows. These formulas serve devices that have no compiled recursion, and say
what :mod:`recbole_imn.kernels.cells` must compute.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from recbole_imn.kernels.cells import AGE_SLOPE, ATTENTION, GRU, LSTM, SIGMOID, TANH

# Latest inputs that attention looks at.
ATTENDED = 8


class Cell(Protocol):
    """What the recursion needs of a cell.

    Attributes
    ----------
    n_gates : int
        Pre-activations a slot, in widths of the hidden state.
    n_parts : int
        Parts of a stored state, in widths of the hidden state; the first is the hidden one,
        which products and losses see.
    number : int
        Which of the compiled cells it is.
    """

    n_gates: int
    n_parts: int
    number: int

    def forward(self, pre: Tensor, old: Tensor) -> Tensor:
        """Give new states [n, n_parts * d] from pre [n, n_gates * d], which may be reused."""
        ...

    def backward(
        self, kept: Tensor, old: Tensor, new: Tensor, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Give the gradients of pre and, where it has a part of its own, of old.

        ``kept`` is what :meth:`forward` left in ``pre``: the activated gates.
        """
        ...


class SigmoidCell:
    """The paper's cell: h = sigma(pre), equations (1), (2) and (6)."""

    n_gates = n_parts = 1
    number = SIGMOID

    def forward(self, pre: Tensor, old: Tensor) -> Tensor:
        """Apply the sigmoid in place."""
        return pre.sigmoid_()

    def backward(
        self, kept: Tensor, old: Tensor, new: Tensor, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Multiply by h (1 - h)."""
        return torch.ops.aten.sigmoid_backward(grad, new), None


class TanhCell:
    """The cell of JODIE: h = tanh(pre)."""

    n_gates = n_parts = 1
    number = TANH

    def forward(self, pre: Tensor, old: Tensor) -> Tensor:
        """Apply tanh in place."""
        return pre.tanh_()

    def backward(
        self, kept: Tensor, old: Tensor, new: Tensor, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Multiply by 1 - h^2."""
        return torch.ops.aten.tanh_backward(grad, new), None


class GatedCell:
    r"""A GRU whose gates see all states of the event (Cho et al., 2014).

    .. math::
        h' = (1 - z) \odot \tanh(a + r \odot b) + z \odot h

    with pre-activations of r, z, a and b, in this order.
    """

    n_gates, n_parts, number = 4, 1, GRU

    def forward(self, pre: Tensor, old: Tensor) -> Tensor:
        """Give new states; leaves r, z, n and b in ``pre``."""
        d = old.shape[1]
        pre[:, : 2 * d].sigmoid_()
        reset, update, new, own = pre.split(d, dim=1)
        new.addcmul_(reset, own).tanh_()
        mixed: Tensor = new + update * (old - new)
        return mixed

    def backward(
        self, kept: Tensor, old: Tensor, new: Tensor, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Give gradients of the four pre-activations and of the state kept."""
        reset, update, candidate, own = kept.split(old.shape[1], dim=1)
        grad_candidate = grad * (1 - update) * (1 - candidate.square())
        grad_reset = grad_candidate * own * reset * (1 - reset)
        grad_update = grad * (old - candidate) * update * (1 - update)
        pre = torch.cat([grad_reset, grad_update, grad_candidate, grad_candidate * reset], dim=1)
        return pre, grad * update


class LongShortCell:
    r"""An LSTM whose gates see all states of the event (Hochreiter and Schmidhuber, 1997).

    .. math::
        c' = f \odot c + i \odot g, \quad h' = o \odot \tanh(c')

    with pre-activations of i, f, o and g, in this order. A stored state is [h, c].
    """

    n_gates, n_parts, number = 4, 2, LSTM

    def forward(self, pre: Tensor, old: Tensor) -> Tensor:
        """Give new states; leaves i, f, o and g in ``pre``."""
        d = old.shape[1] // 2
        pre[:, : 3 * d].sigmoid_()
        pre[:, 3 * d :].tanh_()
        enter, keep, leave, new = pre.split(d, dim=1)
        cell = keep * old[:, d:] + enter * new
        return torch.cat([leave * cell.tanh(), cell], dim=1)

    def backward(
        self, kept: Tensor, old: Tensor, new: Tensor, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Give gradients of the four pre-activations and of [h, c]."""
        d = old.shape[1] // 2
        enter, keep, leave, candidate = kept.split(d, dim=1)
        squashed = new[:, d:].tanh()
        grad_hidden, grad_cell = grad[:, :d], grad[:, d:]
        grad_cell = grad_cell + grad_hidden * leave * (1 - squashed.square())
        pre = torch.cat(
            [
                grad_cell * candidate * enter * (1 - enter),
                grad_cell * old[:, d:] * keep * (1 - keep),
                grad_hidden * squashed * leave * (1 - leave),
                grad_cell * enter * (1 - candidate.square()),
            ],
            dim=1,
        )
        return pre, torch.cat([torch.zeros_like(grad_hidden), grad_cell * keep], dim=1)


class AttentionCell:
    r"""Attention over the entity's latest inputs in place of a recurrent update.

    .. math::
        h' = \sum_k a_k x_k, \quad a = \text{softmax}_k(q \cdot x_k / \sqrt d - k / 4), \quad
        x_0 = \tanh(v)

    with pre-activations of the query q and the value v, in this order. A stored state is
    [h, x_0, ..., x_7], newest first; inputs that are not there yet are the initial state's. The
    slope tells how old an input is (ALiBi, Press et al., 2022). One head; values are their own
    keys.
    """

    n_gates, n_parts, number = 2, 1 + ATTENDED, ATTENTION

    def forward(self, pre: Tensor, old: Tensor) -> Tensor:
        """Give new states; leaves q and x_0 in ``pre``."""
        d = pre.shape[1] // 2
        pre[:, d:].tanh_()
        kept = torch.cat([pre[:, d:], old[:, d:-d]], dim=1)
        shares = self._shares(pre[:, :d], kept)
        hidden = (shares.unsqueeze(2) * kept.unflatten(1, (-1, d))).sum(dim=1)
        return torch.cat([hidden, kept], dim=1)

    def _shares(self, query: Tensor, kept: Tensor) -> Tensor:
        """Give the share of each kept input, float [n, ATTENDED]."""
        d = query.shape[1]
        scores = (kept.unflatten(1, (-1, d)) * query.unsqueeze(1)).sum(dim=2) / d**0.5
        ages = torch.arange(ATTENDED, dtype=scores.dtype, device=scores.device)
        shares: Tensor = (scores - AGE_SLOPE * ages).softmax(dim=1)
        return shares

    def backward(
        self, kept: Tensor, old: Tensor, new: Tensor, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Give gradients of both pre-activations and of the inputs kept."""
        d = kept.shape[1] // 2
        query, value = kept.split(d, dim=1)
        of_hidden, inputs = grad[:, :d].unsqueeze(1), new[:, d:].unflatten(1, (-1, d))
        shares = self._shares(query, new[:, d:])
        along = (of_hidden * inputs).sum(dim=2)
        mean = (shares * along).sum(dim=1, keepdim=True)
        of_scores = (shares * (along - mean) / d**0.5).unsqueeze(2)
        of_query = (of_scores * inputs).sum(dim=1)
        arriving = grad[:, d:].unflatten(1, (-1, d))
        passed = arriving + shares.unsqueeze(2) * of_hidden + of_scores * query.unsqueeze(1)
        pre = torch.cat([of_query, passed[:, 0] * (1 - value.square())], dim=1)
        # Each input was a place nearer before, and the oldest is dropped.
        nothing = torch.zeros_like(value)
        return pre, torch.cat([nothing, passed[:, 1:].flatten(1), nothing], dim=1)


CELLS: dict[str, Cell] = {
    "sigmoid": SigmoidCell(),
    "tanh": TanhCell(),
    "gru": GatedCell(),
    "lstm": LongShortCell(),
    "self_attention": AttentionCell(),
}

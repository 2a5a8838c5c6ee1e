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

from recbole_imn.kernels.cells import GRU, LSTM, SIGMOID, TANH


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


CELLS: dict[str, Cell] = {
    "sigmoid": SigmoidCell(),
    "tanh": TanhCell(),
    "gru": GatedCell(),
    "lstm": LongShortCell(),
}

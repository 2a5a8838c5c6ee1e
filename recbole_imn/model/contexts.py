"""Contexts of rows, and the maps from them to predictions and density ratios."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.kernels.contexts import join_context, map_context
from recbole_imn.model.layers import Affine, bias_of


@dataclass(frozen=True)
class Contexts:
    """Contexts of rows, part by part; what rows share is there once.

    Attributes
    ----------
    user : float [n, n_parts * d]
        Fused and conditioned user states.
    users : float [n_users, d]
        Static embeddings of the rows' users.
    user_place : int64 [n]
        Which of them.
    item : float [n, d]
        Conditioned states of the items of the users' latest events.
    items : float [n_items, d]
        Static embeddings of these items.
    item_place : int64 [n]
        Which of them.
    """

    user: Tensor
    users: Tensor
    user_place: Tensor
    item: Tensor
    items: Tensor
    item_place: Tensor

    def joined(self) -> Tensor:
        """Give [user, static user, previous item's state, previous static item] of each row."""
        return join_context(*vars(self).values())

    def map(self, layer: nn.Linear) -> Tensor:
        """Give what a linear layer makes of the contexts, float [n, n_out]."""
        parts: tuple[Tensor, ...] = *vars(self).values(), layer.weight, bias_of(layer)
        return map_context(*parts)


@dataclass(frozen=True)
class Mapped:
    """Contexts of rows, mapped to the space of item representations.

    Attributes
    ----------
    values : float [n, sum of the widths of the maps that there are]
    columns : tuple of int
        Where the prediction and the rows' side of the density ratio begin; -1 for none.
    widths : tuple of int
        Of what is predicted, and of a representation, 2d.
    log_temperature : float []
    """

    values: Tensor
    columns: tuple[int, int]
    widths: tuple[int, int]
    log_temperature: Tensor

    @property
    def predicted(self) -> Tensor:
        """Where the prediction's target is expected, float [n, width]."""
        return self._map(0)

    @property
    def compared(self) -> Tensor:
        """The rows' side of the log density ratio, over the temperature, float [n, width]."""
        return self._map(1) * torch.exp(-self.log_temperature)

    def with_compared(self, added: Tensor) -> Mapped:
        """Give the same with a summand of the rows' side, float [n, width], before the temperature.

        The prediction is left as it is.
        """
        column = self.columns[0]
        compared = self._map(1) + added
        if column < 0:
            return replace(self, values=compared, columns=(-1, 0))
        both = torch.cat([self._map(0), compared], 1)
        return replace(self, values=both, columns=(0, self.widths[0]))

    def _map(self, number: int) -> Tensor:
        column, width = self.columns[number], self.widths[number]
        if column < 0:
            return self.values.new_zeros(len(self.values), width)
        return self.values[:, column : column + width]


class ContextMaps(nn.Module):
    """Two linear maps from a context to the space of item representations, as one product.

    The context is [user, static user, previous item's state, previous static item], where
    the user may have several parts, and the representation [item state, static item]. The
    first map is the prediction of equation (11), of all or the second half of it; the second the
    W of the density ratio (13), over a temperature.

    Parameters
    ----------
    n_parts : int
        Parts of the context, the previous item's two last.
    width : int
        Size d of each part.
    start : str
        'identity': both begin as a copy of the previous item, plus a little noise. 'random':
        they begin as any linear layer.
    temperature : float
        Where the temperature starts.
    learned : tuple of bool
        Whether there is something that the first and the second map learn from; one that
        learns nothing is 0.
    shared : bool
        Whether there is one map for both.
    target : str
        What is predicted: 'both' halves of a representation, or the 'static' one.
    biases : bool
        Whether the maps have bias terms.
    learned_temperature : bool
    """

    log_temperature: Tensor

    def __init__(
        self,
        n_parts: int,
        width: int,
        start: str,
        temperature: float,
        learned: tuple[bool, bool],
        shared: bool,
        target: str,
        biases: bool,
        learned_temperature: bool,
    ) -> None:
        super().__init__()
        self.learned, self.shared = learned, shared
        self.widths = (width if target == "static" else 2 * width, 2 * width)
        both = [_start_of_map(n_parts, width, wide, start) for wide in self.widths]
        starts = [linear for linear, there in zip(both, learned, strict=True) if there]
        starts = starts[:1] if shared else starts
        n_out = sum(linear.out_features for linear in starts)
        self.linear = Affine(n_parts * width, n_out, bias=biases)
        with torch.no_grad():
            self.linear.weight.copy_(torch.cat([linear.weight for linear in starts]))
            if biases:
                self.linear.bias.copy_(torch.cat([linear.bias for linear in starts]))
        log_temperature = torch.tensor(float(np.log(temperature)))
        if learned_temperature:
            self.log_temperature = nn.Parameter(log_temperature)
        else:
            self.register_buffer("log_temperature", log_temperature)

    @property
    def columns(self) -> tuple[int, int]:
        """Where the first and the second map begin in what is mapped; -1 for none."""
        if self.shared:
            return 0, 0
        predicted, compared = self.learned
        return (0 if predicted else -1), (self.widths[0] * predicted if compared else -1)

    def forward(self, contexts: Contexts) -> Mapped:
        """Map contexts."""
        return Mapped(contexts.map(self.linear), self.columns, self.widths, self.log_temperature)


def _start_of_map(n_parts: int, width: int, n_out: int, start: str) -> nn.Linear:
    linear = nn.Linear(n_parts * width, n_out)
    if start == "identity":
        nn.init.normal_(linear.weight, std=0.1 / (n_parts * width) ** 0.5)
        nn.init.zeros_(linear.bias)
        with torch.no_grad():
            linear.weight[:, -n_out:] += torch.eye(n_out)
    return linear

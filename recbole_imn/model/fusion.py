"""How the two user states become one: f of equation (11)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recbole_imn.model.conditioning import Conditioning
from recbole_imn.model.layers import Gate


class Fusion(nn.Module):
    """Give the user's part of a context, of both projected states.

    Parameters
    ----------
    width : int
        Size of a state.
    centre : float
        Where the states' centre lies.
    unit : bool
        As of :class:`~recbole_imn.model.conditioning.Conditioning`.
    """

    n_parts = 1
    # Where the fused state's centre starts, in centres of one state.
    centres = 1.0

    def __init__(self, width: int, centre: float, unit: bool) -> None:
        super().__init__()
        self.condition = Conditioning(width, self.centres * centre, unit)

    def forward(self, interest: Tensor, resources: Tensor | None) -> Tensor:
        """Give the fused and conditioned state, float [n, n_parts * d].

        Parameters
        ----------
        interest, resources : float [n, d]
            General and limited state, projected; without a branch there is no second.
        """
        conditioned: Tensor = self.condition(self.fuse(interest, resources))
        return conditioned

    def fuse(self, interest: Tensor, resources: Tensor | None) -> Tensor:
        """Make one state [n, d] of two."""
        raise NotImplementedError


class Sum(Fusion):
    """The paper's default."""

    centres = 2.0

    def fuse(self, interest: Tensor, resources: Tensor | None) -> Tensor:
        """Add."""
        assert resources is not None
        return interest + resources


class Product(Fusion):
    """An option of the paper.

    Its centre is learned from that of one state, 0.5, though products of two lie near 0.25: so
    it was when the published figures were made.
    """

    def fuse(self, interest: Tensor, resources: Tensor | None) -> Tensor:
        """Multiply element by element."""
        assert resources is not None
        return interest * resources


class Gated(Fusion):
    """Beyond the paper: a learnable mean of the two."""

    def __init__(self, width: int, centre: float, unit: bool) -> None:
        super().__init__(width, centre, unit)
        self.gate = Gate(width)

    def fuse(self, interest: Tensor, resources: Tensor | None) -> Tensor:
        """Mix element by element."""
        assert resources is not None
        mixed: Tensor = self.gate(interest, resources)
        return mixed


class Concatenation(Fusion):
    """An option of the paper: both states side by side."""

    n_parts = 2

    def __init__(self, width: int, centre: float, unit: bool) -> None:
        super().__init__(width, centre, unit)
        self.condition_resources = Conditioning(width, centre, unit)

    def forward(self, interest: Tensor, resources: Tensor | None) -> Tensor:
        """Condition each by itself."""
        assert resources is not None
        conditioned = self.condition(interest), self.condition_resources(resources)
        return torch.cat(conditioned, dim=1)


class InterestAlone(Fusion):
    """No limited state at all: IMN-Net* and JODIE."""

    def fuse(self, interest: Tensor, resources: Tensor | None) -> Tensor:
        """Give the general state."""
        return interest


FUSIONS: dict[str, type[Fusion]] = {
    "sum": Sum,
    "concat": Concatenation,
    "product": Product,
    "gate": Gated,
}

"""What events tell the updates of states: elapsed times, kinds of action and features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.kernels.event_input import event_input, event_inputs
from recbole_imn.model.layers import Affine, bias_of


class EventInput(nn.Module):
    """What a state's update takes from the event itself: W3 D + W4 v + bias.

    Parameters
    ----------
    width : int
        Size of the output.
    n_behaviours : int
        Kinds of action, padding included.
    n_features : int
        Numeric features of an event.
    biases : bool
        Whether there is a bias.
    """

    def __init__(self, width: int, n_behaviours: int, n_features: int, biases: bool = True) -> None:
        super().__init__()
        self.elapsed = Affine(2, width, bias=biases)
        self.behaviour = nn.Embedding(n_behaviours, width)
        self.features = Affine(n_features, width, bias=False) if n_features else None
        nn.init.normal_(self.behaviour.weight, std=0.1)

    @property
    def weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """What elapsed times and behaviours are mapped by: weight, bias, table."""
        return self.elapsed.weight, bias_of(self.elapsed), self.behaviour.weight

    def forward(self, elapsed: Tensor, behaviour: Tensor, features: Tensor) -> Tensor:
        """Give the input, float [n, width], of events: [n, 2], int64 [n], [n, n_features]."""
        out = event_input(elapsed, behaviour, *self.weights)
        return out if self.features is None else out + self.features(features)

    def after(self, elapsed: Tensor, behaviour: Tensor, features: Tensor) -> Tensor:
        """Do the same where -1 stands for no behaviour, of which there is nothing to tell."""
        weight, bias, table = self.weights
        behaviour = torch.where(behaviour < 0, len(table), behaviour)
        out = event_input(elapsed, behaviour, weight, bias, functional.pad(table, (0, 0, 0, 1)))
        return out if self.features is None else out + self.features(features)


def two_inputs(
    of_user: EventInput,
    of_item: EventInput,
    elapsed: tuple[Tensor, Tensor],
    behaviour: Tensor,
    features: Tensor,
) -> Tensor:
    """Give what both updates of events take from them, float [n, 2 * width], in one pass.

    Parameters
    ----------
    of_user, of_item : EventInput
    elapsed : tuple of float32 [n, 2]
        Inputs that tell the times elapsed for user and item.
    behaviour : int64 [n]
    features : float32 [n, n_features]
    """
    sides = (of_user, of_item)
    out = event_inputs(elapsed, behaviour, *(side.weights for side in sides))
    linear = [side.features for side in sides if side.features is not None]
    return out + torch.cat([each(features) for each in linear], dim=1) if linear else out

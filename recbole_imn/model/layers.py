"""Building blocks of the network, each a few equations of the paper."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import project
from recbole_imn.log import Flags, Floats
from recbole_imn.stream.products import affine, sigmoid

# Of the mean: what deviates less is all alike.
ALIKE = 1e-3


class Affine(nn.Linear):
    """A linear layer in which a row's result does not depend on how many rows there are."""

    def forward(self, input: Tensor) -> Tensor:
        """Map rows, float [n, in_features] to [n, out_features]."""
        return affine(input, self.weight, self.bias)


def bias_of(layer: nn.Linear) -> Tensor:
    """Give the bias of a layer, float [n_out]; zeros where it has none."""
    bias: Tensor | None = layer.bias
    return layer.weight.new_zeros(layer.out_features) if bias is None else bias


class ElapsedTime(nn.Module):
    """Two inputs that tell an elapsed time: its standardised value and a first-event flag.

    Mean and deviation are those of the training events, fixed at construction and stored in
    checkpoints. Seconds as they come (up to 10^7) would saturate every sigmoid; so would those of
    any other gap over the deviation of gaps that are all alike, which counts for nothing.

    Parameters
    ----------
    seconds : float64 [n_training_events]
        Elapsed times of the training events.
    first : bool [n_training_events]
        Where there is no earlier event; such times count for nothing.
    scale : str
        'log' (of 1 + seconds) or 'linear'.
    origin : str
        'mean', or 'zero': then the mean stays in, and the flag is 0 everywhere.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, seconds: Floats, first: Flags, scale: str, origin: str = "mean") -> None:
        super().__init__()
        self.logarithmic, self.flags = scale == "log", origin == "mean"
        times = torch.from_numpy(self._transform(seconds[~first]))
        known = len(times) > 1
        centred = known and origin == "mean"
        self.register_buffer(
            "mean", times.mean() if centred else torch.zeros((), dtype=times.dtype)
        )
        self.register_buffer("deviation", self._scale_of(times))

    def _scale_of(self, times: Tensor) -> Tensor:
        """Give what times are divided by."""
        one = torch.ones((), dtype=times.dtype)
        if len(times) < 2:
            return one
        deviation, typical = times.std(), torch.maximum(times.mean(), one)
        return deviation if deviation > ALIKE * typical else typical

    def _transform(self, seconds: Floats) -> Floats:
        # Not torch's log1p: its last bit depends on an element's place in the tensor.
        return np.log1p(seconds) if self.logarithmic else seconds

    def forward(self, seconds: Floats, first: Flags) -> Tensor:
        """Give the inputs, float32 [n, 2]: standardised time (0 for a first event), flag."""
        inputs = np.empty((len(seconds), 2), np.float32)
        mean, deviation = float(self.mean), float(self.deviation)
        _elapsed_inputs(seconds, first, self.logarithmic, self.flags, mean, deviation, inputs)
        return torch.from_numpy(inputs).to(self.mean.device)


@compiled
def _elapsed_inputs(
    seconds: Floats,
    first: Flags,
    logarithmic: bool,
    flags: bool,
    mean: float,
    deviation: float,
    inputs: npt.NDArray[np.float32],
) -> None:
    for row in range(len(seconds)):
        # As log1p in half its time: what is lost of a fraction of a second is 1e-16.
        time = np.log(1 + seconds[row]) if logarithmic else seconds[row]
        inputs[row, 0] = 0.0 if first[row] else (time - mean) / deviation
        inputs[row, 1] = first[row] and flags


class Projection(nn.Module):
    r"""Project a state to the present: :math:`(1 + W_t \Delta) \odot h`, equations (7)-(10)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # Zero: a state stays as it is until there is a reason.
        self.drift = nn.Parameter(torch.zeros(width, 2))

    def forward(self, states: Tensor, rows: Tensor, elapsed: Tensor) -> Tensor:
        """Project the hidden parts of states [m, stored] at rows [n] by elapsed inputs [n, 2]."""
        return project(states, rows, elapsed, self.drift)


class Gate(nn.Module):
    r"""A learnable mean of two states, element by element.

    .. math:: g \odot a + (1 - g) \odot b, \quad g = \sigma(W [a, b] + c)
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = Affine(2 * width, width)
        # The first state counts for nearly all until there is a reason.
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, 2.0)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Mix states, both [n, width]."""
        gate = sigmoid(self.linear(torch.cat([first, second], dim=1)))
        return gate * first + (1 - gate) * second

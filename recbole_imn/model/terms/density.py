"""The contrastive density ratio, equations (13)-(19)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.model.layers import ContextMap
from recbole_imn.model.terms.base import Rows


class DensityRatio(nn.Module):
    r"""The paper's log density ratio :math:`x^\top W c`, with a learnable temperature.

    Parameters
    ----------
    n_parts, width : int
        As of :class:`~recbole_imn.model.layers.ContextMap`.
    start : str
    temperature : float
        Where the temperature starts.
    """

    def __init__(self, n_parts: int, width: int, start: str, temperature: float) -> None:
        super().__init__()
        self.map = ContextMap(n_parts, width, start)
        self.log_temperature = nn.Parameter(torch.tensor(float(np.log(temperature))))

    @property
    def inverse_temperature(self) -> Tensor:
        """Scale of the log density ratio, a positive scalar."""
        return torch.exp(-self.log_temperature)

    def queries(self, rows: Rows, looked: Any = None) -> Tensor:
        """Give W c over the temperature, float [n, 2d]."""
        queries: Tensor = self.map(rows.contexts) * self.inverse_temperature
        return queries

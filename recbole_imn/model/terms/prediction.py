"""The prediction of the next item, equations (11) and (20)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.model.layers import ContextMap
from recbole_imn.model.terms.base import Rows


class Prediction(nn.Module):
    """Where the next item's representation is expected; items are ranked by their distance.

    Parameters
    ----------
    n_parts, width : int
        As of :class:`~recbole_imn.model.layers.ContextMap`.
    start : str
    """

    def __init__(self, n_parts: int, width: int, start: str) -> None:
        super().__init__()
        self.map = ContextMap(n_parts, width, start)

    def forward(self, rows: Rows) -> Tensor:
        """Predict representations, float [n, 2d]."""
        predicted: Tensor = self.map(rows.contexts)
        return predicted

    def queries(self, rows: Rows) -> Tensor:
        """Give minus the squared distance, up to a constant of the row, as an inner product.

        Returns
        -------
        float [n, 2d + 1]
            To be multiplied by a representation and its squared length.
        """
        return functional.pad(2 * self(rows), (0, 1), value=-1.0)

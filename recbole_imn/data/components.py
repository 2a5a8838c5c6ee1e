"""Principal components, found in some vectors and used on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_imn.log import Floats

# A component that varies less than this share of the first one is rounding of the numbers, and
# the first one is, if that is a smaller share yet of the numbers' own squares.
LEAST_VARIANCE, LEAST_SPREAD = 1e-10, 1e-20


@dataclass(frozen=True, eq=False)
class Components:
    """A projection on principal components.

    Attributes
    ----------
    centre : float64 [n_features]
    axes : float64 [width, n_features]
        Unit vectors, ordered by variance; the largest weight of each is positive.
    """

    centre: Floats
    axes: Floats

    @classmethod
    def fit(cls, vectors: Floats, width: int) -> Components:
        """Find the components of some vectors.

        Parameters
        ----------
        vectors : float64 [n, n_features]
            At least one.
        width : int
            Components to keep; fewer are kept where the vectors do not vary in more.
        """
        centre = vectors.mean(axis=0)
        centred = vectors - centre
        variances, axes = np.linalg.eigh(centred.T @ centred)
        variances, axes = variances[::-1][:width], axes.T[::-1][:width]
        least = LEAST_VARIANCE * variances[0], LEAST_SPREAD * (vectors**2).sum()
        axes = axes[variances > max(*least, 0.0)]
        largest = np.abs(axes).argmax(axis=1)
        signs = np.sign(axes[np.arange(len(axes)), largest])
        return cls(centre, np.ascontiguousarray(axes * signs[:, None]))

    def __call__(self, vectors: Floats) -> Floats:
        """Project vectors, float64 [n, n_features], to float64 [n, width]."""
        projected = np.empty((len(vectors), len(self.axes)))
        # One at a time: a product of matrices rounds a row as the number of rows has it.
        for row, vector in zip(projected, vectors, strict=True):
            row[:] = self.axes @ (vector - self.centre)
        return projected

    def to_values(self) -> dict[str, Any]:
        """Give plain values."""
        return {"centre": self.centre.tolist(), "axes": self.axes.tolist()}

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Components:
        """Read what :meth:`to_values` gave."""
        centre = np.asarray(values["centre"], np.float64)
        return cls(centre, np.asarray(values["axes"], np.float64).reshape(-1, len(centre)))

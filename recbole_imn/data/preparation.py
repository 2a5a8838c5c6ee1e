"""What becomes of the numbers of a field before they are features, fitted on training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.data.buckets import Buckets
from recbole_imn.data.components import Components
from recbole_imn.log import Floats


@dataclass(frozen=True, eq=False)
class Preparation:
    """Steps from a cell's number or sequence of numbers to that of the data set, in order.

    Attributes
    ----------
    empty : float
        Stands for an empty cell of a single number.
    components : Components or None
        Projection of sequences (``reduced_features``).
    bounds : tuple of float or None
        Numbers that become 0 and 1 (``normalize_field``, ``normalize_all``).
    buckets : Buckets or None
        Of ``discretization``.
    """

    empty: float = 0.0
    components: Components | None = None
    bounds: tuple[float, float] | None = None
    buckets: Buckets | None = None

    def __call__(self, numbers: Floats) -> Floats:
        """Prepare the number of a cell, or its sequence, float64 [n]; NaN is an empty cell."""
        numbers = np.where(np.isnan(numbers), self.empty, numbers)
        if self.components is not None and len(numbers):
            numbers = self.components(padded([numbers], len(self.components.centre)))[0]
        if self.bounds is not None:
            numbers = to_unit(numbers, *self.bounds)
        return numbers if self.buckets is None else self.buckets(numbers)

    def to_values(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "empty": self.empty,
            "components": self.components and self.components.to_values(),
            "bounds": self.bounds and list(self.bounds),
            "buckets": self.buckets and self.buckets.to_values(),
        }

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Preparation:
        """Read what :meth:`to_values` gave."""
        bounds = values["bounds"]
        return cls(
            float(values["empty"]),
            values["components"] and Components.from_values(values["components"]),
            bounds and (float(bounds[0]), float(bounds[1])),
            values["buckets"] and Buckets.from_values(values["buckets"]),
        )


def to_unit(values: Any, low: float, high: float) -> Any:
    """Scale numbers so that two of them become 0 and 1."""
    # RecBole makes equal values 1.
    return (values - low) / (high - low) if high > low else values - low + 1


def padded(sequences: Sequence[npt.NDArray[Any]] | npt.NDArray[Any], width: int) -> Floats:
    """Put sequences into a matrix, float64 [n, width], cut or padded with 0."""
    matrix = np.zeros((len(sequences), width))
    for row, sequence in zip(matrix, sequences, strict=True):
        row[: len(sequence)] = sequence[:width]
    return matrix

"""Buckets of numbers by RecBole's two methods, made from some numbers and used on others."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_imn.errors import SettingsError
from recbole_imn.log import Floats


class Buckets:
    """Buckets as in RecBole (dataset.py, ``_discretization``).

    Parameters
    ----------
    field : str
    info : dict
        ``method``: ED, with ``bucket``, or LD.
    known : float64 [n]
        Numbers of the training part.
    """

    def __init__(self, field: str, info: Any, known: Floats) -> None:
        method = info.get("method") if isinstance(info, dict) else None
        self.count = info.get("bucket") if method == "ED" else None
        if method not in ("ED", "LD") or (method == "ED" and not isinstance(self.count, int)):
            raise SettingsError(
                f"discretization of {field} is {info}; it must be {{method: ED, bucket: N}} or "
                "{method: LD}"
            )
        known = known if len(known) else np.zeros(1)
        self.low, self.high = float(known.min()), float(known.max()) + 1e-9
        self.steps = np.unique(_logarithmic(known))
        self.last = float(self._raw(known).max())
        self.number = int(self.last + 1)

    def __call__(self, values: Floats) -> Floats:
        """Give the bucket of each number."""
        first = 0.0 if self.count is None else 1.0
        buckets: Floats = np.clip(self._raw(values), first, self.last)
        return buckets

    def to_values(self) -> dict[str, Any]:
        """Give plain values."""
        return {**vars(self), "steps": self.steps.tolist()}

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Buckets:
        """Read what :meth:`to_values` gave."""
        buckets = cls.__new__(cls)
        for name in ("count", "low", "high", "last", "number"):
            setattr(buckets, name, values[name])
        buckets.steps = np.asarray(values["steps"], np.float64)
        return buckets

    def _raw(self, values: Floats) -> Floats:
        if self.count is None:
            return np.searchsorted(self.steps, _logarithmic(values)).astype(np.float64)
        if self.high == self.low:
            return np.full_like(values, self.count, dtype=np.float64)
        raw: Floats = np.floor((values - self.low) * self.count / (self.high - self.low) + 1)
        return raw


def _logarithmic(values: Floats) -> Floats:
    large = values > 2
    squares = np.floor(np.log(values * large + 1e-9) ** 2 + 1)
    steps: Floats = np.where(large, squares, values)
    return steps

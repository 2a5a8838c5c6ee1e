"""What a shop knows of its items, as it was given: titles, prices, brands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from recbole_imn.errors import ServingError
from recbole_imn.serving.packing import pack, unpack

# Stands for a cell without content among texts; no text has it.
_EMPTY = "\0"


class Attributes:
    """A column a name, a cell an item; padding and items without content have None.

    Parameters
    ----------
    columns : mapping of str to list
        Texts or numbers by the items' numbers, all of one length.
    """

    def __init__(self, columns: Mapping[str, list[Any]]) -> None:
        self.columns = dict(columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.columns)

    def cells(self, name: str, items: Iterable[int]) -> list[Any]:
        """Give the cells of some items.

        Raises
        ------
        ServingError
            If there is no such column.
        """
        if name not in self.columns:
            known = ", ".join(self.columns) or "there are none"
            raise ServingError(f"items have no attribute {name!r} (known: {known})")
        column = self.columns[name]
        return [column[item] if item < len(column) else None for item in items]

    def set(self, items: Sequence[int], cells: Mapping[str, Sequence[Any]]) -> None:
        """Put cells of items into their columns; new names become new columns."""
        for name, values in cells.items():
            # A copy, as readers may have hold of the old one.
            column = list(self.columns.get(name, ()))
            column += [None] * (max(items, default=0) + 1 - len(column))
            for item, value in zip(items, values, strict=True):
                column[item] = value
            self.columns[name] = column

    def to_values(self) -> dict[str, Any]:
        """Give plain values and tensors."""
        return {name: _column_values(column) for name, column in self.columns.items()}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Attributes:
        """Read what :meth:`to_values` gave."""
        return cls({name: _column(column) for name, column in values.items()})


def _column_values(column: list[Any]) -> Any:
    numbers = all(cell is None or isinstance(cell, int | float) for cell in column)
    if numbers:
        cells = [np.nan if cell is None else float(cell) for cell in column]
        return torch.tensor(cells, dtype=torch.float64)
    return pack(_EMPTY if cell is None else str(cell) for cell in column)


def _column(values: Any) -> list[Any]:
    if isinstance(values, torch.Tensor):
        return [None if cell != cell else _whole(cell) for cell in values.tolist()]
    return [None if cell == _EMPTY else cell for cell in unpack(values)]


def _whole(number: float) -> float | int:
    return int(number) if number.is_integer() and abs(number) < 2**53 else number

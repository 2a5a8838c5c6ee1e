"""What a shop knows of its items, as it was given: titles, prices, brands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from recbole_imn.errors import ServingError
from recbole_imn.serving.packing import pack, unpack

# Stands for a cell without content among texts, and before one that is written as JSON: what is
# no text, or begins so.
_EMPTY, _JSON = "\0", "\1"
# Beyond them a float does not hold every whole number.
_LARGEST = 2**53


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
    if all(map(_is_number, column)):
        cells = [np.nan if cell is None else float(cell) for cell in column]
        return torch.tensor(cells, dtype=torch.float64)
    return pack(map(_text, column))


def _is_number(cell: Any) -> bool:
    """Whether a float holds a cell to the last digit, or it is empty."""
    if isinstance(cell, bool):
        return False
    return cell is None or isinstance(cell, float) or (isinstance(cell, int) and _fits(cell))


def _fits(number: float) -> bool:
    return abs(number) < _LARGEST


def _text(cell: Any) -> str:
    if cell is None:
        return _EMPTY
    is_plain = isinstance(cell, str) and not cell.startswith(_JSON)
    return cell if is_plain else _JSON + json.dumps(cell)


def _column(values: Any) -> list[Any]:
    if isinstance(values, torch.Tensor):
        return [None if cell != cell else _whole(cell) for cell in values.tolist()]
    return [None if cell == _EMPTY else _cell(cell) for cell in unpack(values)]


def _cell(text: str) -> Any:
    return json.loads(text[1:]) if text.startswith(_JSON) else text


def _whole(number: float) -> float | int:
    return int(number) if number.is_integer() and _fits(number) else number

"""One field of a data set as columns of numbers: categories as 0/1 columns, numbers as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.data.preparation import Preparation, padded
from recbole_imn.errors import DataError
from recbole_imn.log import Floats

MAX_CATEGORIES = 512
KINDS = ("token", "token_seq", "float", "float_seq")
# Id of an empty cell, and one that no category has.
EMPTY, NO_CATEGORY = 0, -1
# A whole number as text; zeros before it are part of a name.
WHOLE = re.compile(r"(-?[0-9]+)(?:\.0+)?")


def whole_number(value: Any) -> int | None:
    """Give a whole number, with or without a fraction of 0, as int; None for anything else."""
    if isinstance(value, Integral):
        return None if isinstance(value, bool) else int(value)
    if isinstance(value, Real) and float(value).is_integer():
        return int(float(value))
    return None


def spellings_of(token: Any) -> tuple[str, ...]:
    """Give the texts that a token may have in a file: as it was given, then the others.

    Whether a whole number has a fraction of 0 is an accident of who wrote the table: a column
    with an empty cell is one of fractions to many programs.

    Parameters
    ----------
    token : str or number
    """
    whole, given = whole_number(token), str(token)
    found = WHOLE.fullmatch(given if whole is None else str(whole))
    return (given, found[1], f"{found[1]}.0") if found else (given,)


@dataclass(frozen=True, eq=False)
class FieldMap:
    """How a field becomes columns.

    A category is a column of its own; the first column of a ``token`` field is that of empty
    cells. A sequence of categories has a column a category, and zeros where it is empty.

    Attributes
    ----------
    name : str
    kind : {"token", "token_seq", "float", "float_seq"}
    width : int
        Entries of a sequence that are read; 1 otherwise.
    new_is_empty : bool
        Whether a token that training never had counts as an empty cell, as
        :class:`~recbole_imn.data.scaling.ScaledDataset` makes it; it is in no column otherwise.
    preparation : Preparation
        What the data set does to numbers first.
    precision : {"float32", "float64"}
        Of the data set's own numbers.
    categories : int64 [n_categories]
        Ids of the categories of the training part, in rising order.
    tokens : tuple of str
        Their names.
    """

    name: str
    kind: str
    width: int = 1
    new_is_empty: bool = True
    preparation: Preparation = field(default_factory=Preparation)
    precision: str = "float64"
    categories: npt.NDArray[np.int64] | None = None
    tokens: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether the field holds numbers, and no categories."""
        return self.kind.startswith("float")

    def fit(self, values: npt.NDArray[Any], vocabulary: Sequence[str]) -> FieldMap:
        """Know the categories of some rows, those of the training part.

        Parameters
        ----------
        values : int64 or float64 [n] or [n, width]
            Ids of tokens (0 is none), or numbers.
        vocabulary : sequence of str
            Tokens by id; empty for numbers.

        Raises
        ------
        DataError
            If there are too many categories.
        """
        if self.is_number:
            return replace(self, precision=values.dtype.name)
        empty = [EMPTY]
        known = np.union1d(empty, values) if self.kind == "token" else np.setdiff1d(values, empty)
        if len(known) > MAX_CATEGORIES:
            raise DataError(
                f"feature {self.name!r} has {len(known)} categories; "
                f"at most {MAX_CATEGORIES} are turned into columns"
            )
        ids = known.astype(np.int64)
        return replace(self, categories=ids, tokens=tuple(str(vocabulary[i]) for i in ids))

    def columns(self, values: npt.NDArray[Any]) -> Floats:
        """Give rows of the data set as columns, float64 [n, n_columns]."""
        if self.categories is None:
            width = int(np.prod(values.shape[1:]))
            return np.asarray(values, np.float64).reshape(len(values), width)
        if self.kind == "token":
            one_hot: Floats = (values[:, None] == self.categories).astype(np.float64)
            return one_hot
        # One category at a time: a row may have many.
        hot = [(values == category).any(axis=1) for category in self.categories]
        return np.stack([np.zeros(len(values)), *hot], axis=1)[:, 1:]

    def names(self, n_columns: int) -> list[str]:
        """Name the columns; that of empty cells has nothing after its ``=``."""
        if self.kind == "float":
            return [self.name]
        if self.is_number:
            return [f"{self.name}[{place}]" for place in range(n_columns)]
        empty = int(self.kind == "token")
        return [f"{self.name}="] * empty + [f"{self.name}={token}" for token in self.tokens[empty:]]

    def read(self, cells: Iterable[Any]) -> npt.NDArray[Any]:
        """Give cells as the data set would have them.

        Parameters
        ----------
        cells : iterable
            A token (str), a number, a sequence of either, or None for an empty cell, a row.

        Returns
        -------
        int64 or float [n] or [n, width]
            What :meth:`columns` takes.
        """
        if self.kind == "token":
            return np.array([self._id(cell) for cell in cells], np.int64)
        if self.kind == "float":
            numbers = [np.nan if cell is None else float(cell) for cell in cells]
            return self._prepared(np.array(numbers, np.float64))
        sequences = [() if cell is None else cell for cell in cells]
        if self.kind == "token_seq":
            ids = [np.array([self._id(token) for token in row], np.int64) for row in sequences]
            return padded(ids, self.width).astype(np.int64)
        with np.errstate(over="ignore"):
            rows = [self.preparation(np.array(row, np.float64)) for row in sequences]
            return padded(rows, self.width).astype(self.precision)

    def _prepared(self, numbers: Floats) -> npt.NDArray[Any]:
        # What is too large becomes infinite here, and is refused by whoever asked.
        with np.errstate(over="ignore"):
            return self.preparation(numbers).astype(self.precision)

    def written(self, cell: Any) -> Any:
        """Give a cell of tokens as training read it; other cells stay as they are.

        Parameters
        ----------
        cell : token, number, sequence of either, or None
            Whoever has numbers for names may have them with a fraction of 0.
        """
        if self.is_number or cell is None:
            return cell
        if self.kind == "token":
            return self._written(cell)
        return [self._written(token) for token in cell]

    def _written(self, token: Any) -> Any:
        whole = whole_number(token)
        known = (text for text in spellings_of(token) if text in self.tokens)
        return next(known, token if whole is None else str(whole))

    def _id(self, token: Any) -> int:
        """Give the id of a token."""
        # What equals nothing is how pandas writes an empty cell among numbers.
        if token is None or token == "" or (isinstance(token, float) and token != token):
            return EMPTY
        # Of a token field, the first name is that of empty cells.
        n_empty = int(self.kind == "token")
        known = self.tokens[n_empty:]
        found = [text for text in spellings_of(token) if text in known]
        if self.categories is not None and found:
            return int(self.categories[n_empty + known.index(found[0])])
        return EMPTY if self.new_is_empty else NO_CATEGORY

    def to_values(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            **vars(self),
            "preparation": self.preparation.to_values(),
            "categories": None if self.categories is None else self.categories.tolist(),
            "tokens": list(self.tokens),
        }

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> FieldMap:
        """Read what :meth:`to_values` gave."""
        ids = values["categories"]
        if values["kind"] not in KINDS or values["precision"] not in ("float32", "float64"):
            raise DataError(f"{values['name']!r} is no field of a known kind")
        return cls(
            values["name"],
            values["kind"],
            int(values["width"]),
            bool(values["new_is_empty"]),
            Preparation.from_values(values["preparation"]),
            values["precision"],
            None if ids is None else np.array(ids, np.int64),
            tuple(values["tokens"]),
        )

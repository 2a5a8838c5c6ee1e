"""What is fitted to make columns of numbers of fields: it goes with a model, into checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging import getLogger
from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.data.field_maps import FieldMap
from recbole_imn.errors import DataError
from recbole_imn.log import Flags, Floats

# Squares of features must still be numbers of float32.
LARGEST_FEATURE = 1e18

Features = npt.NDArray[np.float32]
Columns = Sequence[npt.NDArray[Any]]


class FarValue(DataError):
    """A number too far from all of the training part.

    Attributes
    ----------
    field : str
    value : float
    row : int
        Among those that were to be transformed.
    place : int
        Of the number in its cell, if that is a sequence; else 0.
    """

    def __init__(self, field: str, value: float, row: int = 0, place: int = 0) -> None:
        super().__init__(
            f"{field} is {value:g}, too far from all numbers of the training part to be "
            "computed with"
        )
        self.field, self.value, self.row, self.place = field, value, row, place


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and deviation of columns over some rows.

    Attributes
    ----------
    mean, deviation : float64 [n_columns]
    constant : bool [n_columns]
        Columns of equal numbers; their deviation counts as 1.
    """

    mean: Floats
    deviation: Floats
    constant: Flags

    @classmethod
    def fit(cls, reference: Floats) -> Scale:
        """Find them for rows, float64 [n, n_columns]; without any, columns stay as they are."""
        n_columns = reference.shape[1]
        if not len(reference):
            return cls(np.zeros(n_columns), np.ones(n_columns), np.zeros(n_columns, np.bool_))
        # Of equal numbers, rounding may leave a tiny deviation that would blow up all others.
        equal = reference.min(axis=0) == reference.max(axis=0)
        mean = np.where(equal, reference[0], reference.mean(axis=0))
        return cls(mean, np.where(equal, 1.0, reference.std(axis=0)), equal)

    def __call__(self, values: Floats) -> Features:
        """Scale rows to mean 0 and deviation 1, float32 [n, n_columns]."""
        # What is too large becomes infinite here, and is refused by whoever asked.
        with np.errstate(over="ignore"):
            scaled = (values - self.mean) / self.deviation
            return scaled.astype(np.float32)


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Fields as columns, with the categories and the scale of the training part.

    Attributes
    ----------
    fields : tuple of FieldMap
    owners : tuple of str
        The field that each column is of.
    scale : Scale
    """

    fields: tuple[FieldMap, ...]
    owners: tuple[str, ...]
    scale: Scale

    @classmethod
    def fit(
        cls,
        fields: Sequence[FieldMap],
        columns: Columns,
        inside: Flags,
        vocabularies: Mapping[str, Sequence[str]],
    ) -> FeatureMap:
        """Learn from the rows inside the training part, and from no other.

        Parameters
        ----------
        fields : sequence of FieldMap
            Names and kinds; what they know is learned here.
        columns : sequence of arrays [n] or [n, width]
            The fields' values: ids of tokens, or numbers.
        inside : bool [n]
        vocabularies : mapping of str to sequence of str
            Tokens by id, of fields of tokens.

        Raises
        ------
        DataError
            If a field has too many categories.
        """
        known = [rows_inside(values, inside) for values in columns]
        fitted = tuple(
            field.fit(values, vocabularies.get(field.name, ()))
            for field, values in zip(fields, known, strict=True)
        )
        parts = [field.columns(values) for field, values in zip(fitted, known, strict=True)]
        owners = tuple(
            field.name for field, part in zip(fitted, parts, strict=True) for _ in part.T
        )
        return cls(fitted, owners, Scale.fit(_beside(parts, int(inside.sum()))))

    @property
    def widths(self) -> dict[str, int]:
        """Number of columns of each field."""
        return {field.name: self.owners.count(field.name) for field in self.fields}

    @property
    def names(self) -> list[str]:
        """Names of the columns, such as ``brand=audi``, ``price``, ``image[3]``."""
        return [name for field in self.fields for name in field.names(self.widths[field.name])]

    @property
    def forgotten(self) -> Flags:
        """Columns of numbers that are constant in training and count as 0, bool [n_columns]."""
        numbers = {field.name for field in self.fields if field.is_number}
        return self.scale.constant & np.array([name in numbers for name in self.owners], np.bool_)

    def transform(self, columns: Columns) -> Features:
        """Give rows of the data set as columns of mean 0 and deviation 1 in training.

        Categories that training never had are in no column.

        Parameters
        ----------
        columns : sequence of arrays [n] or [n, width]
            As for :meth:`fit`.

        Returns
        -------
        float32 [n, n_columns]

        Raises
        ------
        FarValue
            If a number is too far away to be computed with, or is none.
        """
        parts = [field.columns(values) for field, values in zip(self.fields, columns, strict=True)]
        numbers = _beside(parts, len(columns[0]) if columns else 0)
        matrix = self.scale(numbers)
        self._forget_constants(matrix)
        far = np.argwhere(~(np.abs(matrix) < LARGEST_FEATURE))
        if len(far):
            row, column = (int(place) for place in far[0])
            owner = self.owners[column]
            raise FarValue(
                owner, float(numbers[row, column]), row, column - self.owners.index(owner)
            )
        return matrix

    def transform_cells(self, cells: Mapping[str, Sequence[Any]]) -> Features:
        """Give rows that are in no data set yet, such as a new item's, as the same columns.

        Parameters
        ----------
        cells : mapping of str to sequence
            For each field the cells of all rows, as in an atomic file: a str, a number, a
            sequence of them, or None for an empty cell.

        Returns
        -------
        float32 [n, n_columns]

        Raises
        ------
        DataError
            If a field is missing, or as for :meth:`transform`.
        """
        missing = [field.name for field in self.fields if field.name not in cells]
        if missing:
            raise DataError(f"there are no cells of {', '.join(missing)}")
        try:
            return self.transform([field.read(cells[field.name]) for field in self.fields])
        except FarValue as far:
            raise self._as_given(far, cells[far.field][far.row]) from None

    def _as_given(self, far: FarValue, cell: Any) -> FarValue:
        """Tell of a number as it was given, which may be none of the numbers of the data set."""
        (field,) = (field for field in self.fields if field.name == far.field)
        if cell is None or field.preparation.components is not None:
            return far
        given = np.atleast_1d(np.asarray(cell, np.float64))
        return FarValue(far.field, float(given[far.place]), far.row, far.place)

    def _forget_constants(self, matrix: Features) -> None:
        """Set columns of numbers to 0 that never change in training: others have no scale there.

        They would enter at their full size, by weights that nothing has trained.
        """
        for column in np.flatnonzero(self.forgotten):
            later = matrix[:, column] != 0
            if later.any():
                getLogger().warning(
                    f"{self.owners[column]} is {self.scale.mean[column]:g} in all of the training "
                    "part, so that nothing can be learnt of it; "
                    f"{int(later.sum())} other values count as the same"
                )
                matrix[later, column] = 0

    def to_values(self) -> dict[str, Any]:
        """Give plain values, which a checkpoint can hold: dicts, lists, numbers and strings."""
        return {
            "fields": [field.to_values() for field in self.fields],
            "owners": list(self.owners),
            "mean": self.scale.mean.tolist(),
            "deviation": self.scale.deviation.tolist(),
            "constant": self.scale.constant.tolist(),
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> FeatureMap:
        """Read what :meth:`to_values` gave.

        Raises
        ------
        DataError
            If the values are no such map.
        """
        try:
            numbers = [np.array(values[name], np.float64) for name in ("mean", "deviation")]
            scale = Scale(numbers[0], numbers[1], np.array(values["constant"], np.bool_))
            fields = tuple(FieldMap.from_values(field) for field in values["fields"])
            owners = tuple(str(name) for name in values["owners"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"values are no map of features: {error!r}") from error
        known = {field.name for field in fields}
        shapes = {column.shape for column in (*numbers, scale.constant)}
        if shapes != {(len(owners),)} or not known.issuperset(owners):
            raise DataError("values are no map of features: their columns do not fit together")
        return cls(fields, owners, scale)


def rows_inside(values: npt.NDArray[Any], inside: Flags) -> npt.NDArray[Any]:
    """Give the rows inside the training part, as a view where they come first."""
    n_inside = int(inside.sum())
    return values[:n_inside] if inside[:n_inside].all() else values[np.flatnonzero(inside)]


def _beside(parts: Sequence[Floats], n_rows: int) -> Floats:
    """Put columns side by side, float64 [n_rows, n_columns]."""
    return np.concatenate([np.zeros((n_rows, 0)), *parts], axis=1)

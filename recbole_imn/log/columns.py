"""Columns that grow at their end, in memory or in a mapped file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SMALLEST = 1024


class Column:
    """An array that is only ever appended to.

    Room doubles when it runs out, so that appending costs the same however often it is done.
    Arrays given out earlier keep what they hold.

    Parameters
    ----------
    dtype : numpy dtype
    shape : tuple of int
        Shape of one entry.
    path : Path, optional
        File to keep the entries in; without one they are in memory.
    length : int
        Entries that the file holds already.
    """

    def __init__(
        self,
        dtype: npt.DTypeLike,
        shape: tuple[int, ...] = (),
        path: Path | None = None,
        length: int = 0,
    ) -> None:
        self._dtype, self._shape, self._path = np.dtype(dtype), shape, path
        self.length = length
        self._room: npt.NDArray[Any] = self._with_room(length)

    def __len__(self) -> int:
        """Return the number of entries."""
        return self.length

    @property
    def values(self) -> npt.NDArray[Any]:
        """The entries, [length, *shape], without a copy."""
        return self._room[: self.length]

    def extend(self, n: int) -> npt.NDArray[Any]:
        """Append ``n`` entries of no particular value, and give them to be written to."""
        start, self.length = self.length, self.length + n
        if self.length > len(self._room):
            self._grow(max(self.length, min(2 * start, start + 2**26), SMALLEST), start)
        return self._room[start : self.length]

    def append(self, values: npt.ArrayLike) -> None:
        """Append entries, [n, *shape]."""
        values = np.asarray(values)
        self.extend(len(values))[...] = values

    def fit(self, n: int) -> None:
        """Make room for exactly ``n`` entries, for a column that is filled at once."""
        if n > len(self._room):
            self._grow(n, self.length)

    def flush(self) -> None:
        """Write a mapped file to the disk."""
        if isinstance(self._room, np.memmap):
            self._room.flush()

    def _grow(self, n: int, kept: int) -> None:
        """Make room for ``n`` entries, and keep so many."""
        grown = self._with_room(n)
        if self._path is None:
            grown[:kept] = self._room[:kept]
        self._room = grown

    def _with_room(self, n: int) -> npt.NDArray[Any]:
        # A file of no bytes, or of entries of no width, cannot be mapped.
        if self._path is None or n * int(np.prod(self._shape)) == 0:
            return np.empty((n, *self._shape), self._dtype)
        mode: Literal["r+", "w+"] = "r+" if self._path.exists() else "w+"
        if mode == "r+":
            size = n * int(np.prod(self._shape)) * self._dtype.itemsize
            with self._path.open("r+b") as file:
                file.truncate(max(size, self._path.stat().st_size))
        shape = n, *self._shape
        return np.memmap(str(self._path), self._dtype, mode, shape=shape)

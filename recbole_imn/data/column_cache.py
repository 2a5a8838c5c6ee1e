"""Columns of a log kept beside its file, so that a second start maps them into memory.

They lie in ``.NAME.inter.columns``, in a folder named by what they were made of: the bytes of
the file and how it was read. What is there counts only if its own sums are right; anything else
is made anew. The file is the truth, and the folder may be removed at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recbole_imn.files import file_sum, make_folder, sealed
from recbole_imn.scratch import scratch_folder, sweep

# Of how the files of a cache are laid out.
VERSION = 1
CONTENTS = "contents.json"


class ColumnCache:
    """The columns of one file, read in one way.

    Parameters
    ----------
    path : Path
        The file.
    reading : mapping of str to plain value
        All that decides what is read from it.
    """

    def __init__(self, path: Path, reading: Mapping[str, Any]) -> None:
        self.path, self._reading = path, dict(reading)
        self.folder = path.with_name(f".{path.name}.columns")
        self._source: str | None = None

    @property
    def place(self) -> Path:
        """Folder of the columns of the file as it is."""
        told = {"version": VERSION, "source": self.source, "reading": self._reading}
        text = json.dumps(told, sort_keys=True)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def source(self) -> str:
        """Sum of the file's bytes."""
        if self._source is None:
            self._source = file_sum(self.path)
        return self._source

    def open(self) -> pd.DataFrame | None:
        """Map the columns into memory; None if they are not there, or are damaged.

        Returns
        -------
        DataFrame
            As it was kept, with an index from 0. Whoever writes to it changes no file.
        """
        try:
            contents = _contents(self.place)
            columns = {name: self._column(told) for name, told in contents["columns"].items()}
            return pd.DataFrame(columns, copy=False)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            with suppress(OSError):
                shutil.rmtree(self.place)
            return None

    def keep(self, frame: pd.DataFrame) -> None:
        """Keep the columns of a frame: categories and numbers; those of other files go.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        make_folder(self.folder)
        sweep(self.folder)
        with scratch_folder(self.place) as part:
            columns = {
                str(name): _write(part, number, frame[name]) for number, name in enumerate(frame)
            }
            contents = json.dumps({"source": self.source, "columns": columns})
            (part / CONTENTS).write_text(sealed(contents), encoding="utf-8", newline="\n")
            # Another process may have been faster.
            if not self.place.exists():
                os.rename(part, self.place)
        self._remove_others()

    def _remove_others(self) -> None:
        """Remove columns of what the file was earlier."""
        for place in self.folder.iterdir():
            with suppress(OSError):
                if place != self.place and _source_of(place) != self.source:
                    shutil.rmtree(place)

    def _column(self, told: Mapping[str, Any]) -> Any:
        values = _mapped(self.place / told["file"], told["dtype"], told["sum"])
        if "names" not in told:
            return values
        names = self.place / told["names"]
        if file_sum(names) != told["names_sum"]:
            raise ValueError(f"{names} is damaged")
        text = names.read_bytes().decode("utf-8")
        index = pd.Index(text.split("\n") if told["n_names"] else [], dtype=object)
        return pd.Categorical.from_codes(values, index, validate=False)


def _contents(place: Path) -> dict[str, Any]:
    """Say what a folder holds.

    Raises
    ------
    ValueError
        If that is damaged.
    """
    text = (place / CONTENTS).read_text(encoding="utf-8")
    plain = text.partition("\n")[2]
    if text != sealed(plain):
        raise ValueError(f"{place} is damaged")
    contents: dict[str, Any] = json.loads(plain)
    return contents


def _source_of(place: Path) -> str | None:
    """Give the sum of the file that a folder was made of, None if it is damaged."""
    try:
        return str(_contents(place)["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(folder: Path, number: int, column: pd.Series[Any]) -> dict[str, Any]:
    """Write a column, and say what is where."""
    values = column.to_numpy() if column.dtype == np.float64 else column.cat.codes.to_numpy()
    told = {"file": f"{number}.values", "dtype": values.dtype.str}
    told["sum"] = _written(folder / told["file"], np.ascontiguousarray(values).data)
    if column.dtype == np.float64:
        return told
    # A token has no line feed: lines end there.
    names = [str(name) for name in column.cat.categories]
    told["names"] = f"{number}.names"
    text = memoryview("\n".join(names).encode("utf-8"))
    told["names_sum"] = _written(folder / told["names"], text)
    return {**told, "n_names": len(names)}


def _written(file: Path, content: memoryview) -> str:
    """Write bytes to the disk and give their sum."""
    content = content.cast("B") if content.nbytes else content
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return hashlib.sha256(content).hexdigest()


def _mapped(file: Path, dtype: str, expected: str) -> npt.NDArray[Any]:
    """Map a file of numbers; writes to them stay in memory.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    if file_sum(file) != expected:
        raise ValueError(f"{file} is damaged")
    if not file.stat().st_size:
        return np.empty(0, dtype)
    return np.memmap(file, dtype, "c").view(np.ndarray)

"""The log of a data set: checked, in order of time, and kept for the next start."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recbole_imn.data.atomic import check_log, read_header
from recbole_imn.data.column_cache import ColumnCache
from recbole_imn.data.columnwise import read_frame
from recbole_imn.data.numbers import check_numbers, check_times
from recbole_imn.files import os_line

# Smaller files are read as fast as what is kept of them.
SMALLEST = 4 << 20


@dataclass(frozen=True)
class LogFile:
    """NAME.inter, and how it is written.

    Attributes
    ----------
    path : Path
    user, item, time : str
        Names of the columns that a log needs.
    separator, encoding : str
    """

    path: Path
    user: str
    item: str
    time: str
    separator: str = "\t"
    encoding: str = "utf-8"

    def header(self) -> dict[str, str]:
        """Read the fields and their types, as :func:`~recbole_imn.data.atomic.read_header`."""
        return read_header(self.path, self.separator, self.encoding)

    def open(self, fields: Collection[str], warn: Callable[[str], None]) -> pd.DataFrame:
        """Give some columns in order of time, ties in file order.

        Parameters
        ----------
        fields : collection of str
            Of the header, in its order.
        warn : callable
            Is told if columns cannot be kept.

        Returns
        -------
        DataFrame
            Tokens as categories, numbers as float64, sequences as text; the index is the line
            number minus 2, or counts from 0 where there are no sequences, of which something
            may be wrong still.

        Raises
        ------
        DataError
            For the first row that is wrong.
        """
        header = self.header()
        kinds = {field: header[field] for field in header if field in fields}
        plain = set(kinds.values()) <= {"token", "float"}
        cache = self._cache(kinds) if plain and self.path.stat().st_size >= SMALLEST else None
        log = None if cache is None else cache.open()
        if log is not None:
            return log
        log = self._read(header, kinds, plain)
        if cache is not None:
            try:
                cache.keep(log)
            except OSError as error:
                warn(
                    f"the columns of {self.path} are not kept for the next start, which will "
                    f"read it again: {os_line(error)}"
                )
        return log

    def _cache(self, kinds: dict[str, str]) -> ColumnCache:
        named = self.user, self.item, self.time
        form = self.separator, self.encoding
        return ColumnCache(self.path, {"kinds": kinds, "format": form, "named": named})

    def _read(self, header: dict[str, str], kinds: dict[str, str], plain: bool) -> pd.DataFrame:
        """Read and check the columns, and sort them."""
        log = pd.DataFrame()
        if kinds:
            log = read_frame(self.path, header, kinds, self.separator, self.encoding)
        for field, kind in kinds.items():
            if kind == "float" and field != self.time:
                check_numbers(self.path, log[field])
        check_log(self.path, header, log, self.user, self.item, self.time)
        check_times(self.path, log[self.time])
        if not log[self.time].is_monotonic_increasing:
            log = log.sort_values(self.time, kind="stable")
        return log.reset_index(drop=True) if plain else log

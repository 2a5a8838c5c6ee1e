"""Reading atomic files with errors that name the file, the line and the value."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbole_imn.errors import DataError
from recbole_imn.kernels.lines import CUT, UNEVEN, check_lines
from recbole_imn.validation import shown

# From pandas 3 on, numbers are read exactly by default and asking for it is deprecated.
_EXACT_NUMBERS: dict[str, Any] = (
    {"float_precision": "round_trip"} if int(pd.__version__.partition(".")[0]) < 3 else {}
)

CUTTING = re.compile(rb"\0|\r(?!\n|\Z)")
BLOCK_BYTES = 16 << 20
FIELD_TYPES = ("token", "token_seq", "float", "float_seq")


def check_name(name: object, option: str) -> None:
    """Refuse a name of a data set that is no plain name of a folder.

    Parameters
    ----------
    name : object
        What was given as a name.
    option : str
        What gave it, for the message.

    Raises
    ------
    DataError
    """
    if not isinstance(name, str) or not _is_plain_name(name):
        raise DataError(f"{option} is {shown(name)}; it must be a plain name such as my-log")


def _is_plain_name(name: str) -> bool:
    """Whether a name leaves its folder on no system, and can be shown in one line."""
    safe = name.isprintable() and not set(name) & set('/\\:*?"<>|')
    # File systems allow 255 bytes, and we add endings.
    return safe and name.strip() == name != "" and name[0] != "." and len(name.encode()) <= 200


def read_header(path: Path, separator: str = "\t", encoding: str = "utf-8") -> dict[str, str]:
    """Read the fields and their types from the first line of an atomic file.

    Parameters
    ----------
    path : Path
        An atomic file: a header ``field:type`` a column, then one row a line.
    separator, encoding : str
        As in RecBole's ``field_separator`` and ``encoding``.

    Returns
    -------
    dict of str to str
        Type of each field, in file order.

    Raises
    ------
    DataError
        If the file is missing, empty, not text, or its header is no atomic header.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    # The first line alone: a wrong byte further down is not a fault of the header.
    with path.open("rb") as file:
        first = file.readline()
    if CUTTING.search(first):
        raise _cut(path, 1)
    line = _text(path, 1, first, _without_mark(encoding)).rstrip("\r\n")
    if not line:
        raise DataError(f"{path}: the file is empty; an atomic file starts with a header")
    fields: dict[str, str] = {}
    for column in line.split(separator):
        field, _, field_type = column.partition(":")
        if field_type not in FIELD_TYPES:
            tab = "" if separator == "\t" else f" (field_separator is {separator!r})"
            raise DataError(
                f"{path}, line 1: column {column[:80]!r} is not FIELD:TYPE with a type of "
                f"{FIELD_TYPES}{tab}"
            )
        if field in fields:
            raise DataError(f"{path}, line 1: two columns are called {field!r}")
        fields[field] = field_type
    return fields


def _text(path: Path, number: int, line: bytes, encoding: str) -> str:
    """Decode a line, or raise with its number."""
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: not {encoding} text ({error.reason})") from error


def _without_mark(encoding: str) -> str:
    """Skip the mark that some programs write at the start of utf-8; it is part of no name."""
    return "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding


def read_columns(
    path: Path,
    header: dict[str, str],
    fields: Collection[str],
    separator: str = "\t",
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """Read some columns of an atomic file, numbers exactly.

    Parameters
    ----------
    path, separator, encoding
        As for :func:`read_header`.
    header : dict of str to str
        What :func:`read_header` gave.
    fields : collection of str
        Fields to read.

    Returns
    -------
    DataFrame
        Column ``field`` as float64 for floats, as str for everything else, with NaN for
        empty cells; blank lines are left out; the index is the line number minus 2.

    Raises
    ------
    DataError
        If a row has other columns than the header, or a number cannot be read.
    """
    n_rows = check_column_counts(path, len(header), separator.encode(encoding))
    names = [f"{field}:{header[field]}" for field in header if field in fields]
    is_float = {name: name.endswith(":float") for name in names}
    try:
        frame = _parse(path, names, is_float, separator, encoding)
    except UnicodeDecodeError as error:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                _text(path, number, line, encoding)
        raise DataError(f"{path}: not {encoding} text ({error.reason})") from error
    except ValueError:
        frame = _parse(path, names, dict.fromkeys(names, False), separator, encoding)
        _report_number(path, frame, [name for name in names if is_float[name]])
        raise DataError(f"{path}: cannot be read as numbers") from None
    unclear = [name for name in names if is_float[name] and frame[name].isna().any()]
    if unclear:
        # An empty cell and the text nan look alike as numbers.
        text = _parse(path, unclear, dict.fromkeys(unclear, False), separator, encoding)
        _report_number(path, text, unclear)
    frame.columns = [name.rpartition(":")[0] for name in names]
    kept = frame.dropna(how="all")
    # A row may have nothing in these columns, and something in others.
    return kept if len(kept) == n_rows else frame.drop(index=_blank_lines(path))


def _blank_lines(path: Path) -> list[int]:
    """Give the index in a frame of lines with nothing but separators."""
    with path.open("rb") as file:
        return [place for place, line in enumerate(file, start=-1) if line.isspace()]


def check_column_counts(path: Path, expected: int, separator: bytes) -> int:
    """Raise for the first line with other columns than the header, or that readers cut short.

    Readers take a zero byte or a carriage return for the end of a text or of a line, and would
    lose what follows.

    Parameters
    ----------
    path : Path
    expected : int
        Columns of the header.
    separator : bytes

    Returns
    -------
    int
        Rows of the file; neither the header nor blank lines.

    Raises
    ------
    DataError
    """
    counts, between = np.zeros(3, np.int64), np.frombuffer(separator, np.uint8)
    with path.open("rb") as file:
        while lines := file.read(BLOCK_BYTES) + file.readline():
            fault = check_lines(np.frombuffer(lines, np.uint8), between, expected, counts)
            if fault == CUT:
                raise _cut(path, int(counts[0]))
            if fault == UNEVEN:
                raise DataError(
                    f"{path}, line {counts[0]}: {counts[2]} columns, but the header has {expected}"
                )
    return int(counts[1]) - 1


def _cut(path: Path, number: int) -> DataError:
    return DataError(
        f"{path}, line {number}: a zero byte or a carriage return inside a row; "
        "remove it, or end all lines with a line feed"
    )


def _parse(
    path: Path, names: list[str], is_float: dict[str, bool], separator: str, encoding: str
) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_csv(
        path,
        sep=separator,
        usecols=names,
        dtype={name: np.float64 if is_float[name] else object for name in names},
        encoding=_without_mark(encoding),
        # An id may be called NA or null, and may contain quotes.
        keep_default_na=False,
        na_values=[""],
        quoting=csv.QUOTE_NONE,
        **_EXACT_NUMBERS,
        skip_blank_lines=False,
        index_col=False,
    )
    return frame[names]


def _report_number(path: Path, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise for the first cell that is no number."""
    for column in columns:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        bad = numbers.isna() & frame[column].notna()
        if bad.any():
            line, value = _first(bad, frame[column])
            field = column.rpartition(":")[0]
            hint = "; leave the cell empty" if str(value).lower() == "nan" else ""
            raise DataError(f"{path}, line {line}: {field} is {value!r}, not a number{hint}")


def check_log(
    path: Path, header: Mapping[str, str], log: pd.DataFrame, user: str, item: str, time: str
) -> None:
    """Check the columns that a stream needs.

    Parameters
    ----------
    path : Path
        Named in messages.
    header : mapping of str to str
        All fields of the file, with types.
    log : DataFrame
        What :func:`read_columns` gave for an ``.inter`` file.
    user, item, time : str
        Names of the required fields.

    Raises
    ------
    DataError
        If a field is missing or a cell is empty, not finite, or not allowed.
    """
    for field in (user, item, time):
        if field not in header:
            raise DataError(
                f"{path}: no column {field}; the header has {list(header)}, "
                f"and a log needs {[user, item, time]}"
            )
        if field not in log:
            raise DataError(
                f"{path}: column {field} is in the file, but the settings load_col or unload_col "
                "leave it out, and a log needs it"
            )
    for field in (user, item):
        check_type(path, header, field, "token")
    if log.empty:
        raise DataError(f"{path}: the log has a header but no rows")
    for field in (user, item):
        _require(path, log, field, log[field].notna(), "an id")
    check_type(path, header, time, "float", ", in seconds")
    _require(path, log, time, np.isfinite(log[time]), "a finite number of seconds")
    if "behavior" in log:
        check_type(path, header, "behavior", "token")
    if "purchase" in log:
        check_type(path, header, "purchase", "float", " of 0 and 1")
        _require(path, log, "purchase", log["purchase"].isin([0.0, 1.0]), "0 or 1")
    if not log[user].duplicated().any():
        raise DataError(
            f"{path}: no user has two events or more ({len(log)} rows, as many users); "
            "there is no next item to predict"
        )


def check_type(
    path: Path, header: Mapping[str, str], field: str, needed: str, what: str = ""
) -> None:
    """Check the type that the header gives a field.

    Raises
    ------
    DataError
    """
    if header[field] != needed:
        raise DataError(
            f"{path}, line 1: {field} must be a column {field}:{needed}{what}, "
            f"not {field}:{header[field]}"
        )


def line_at(rows: pd.Series[Any] | pd.DataFrame, place: int) -> int:
    """Give the line of a file that the row at a place was read from: the header is line 1."""
    return int(rows.index[place]) + 2


def _first(bad: pd.Series[bool], column: pd.Series[Any]) -> tuple[int, Any]:
    """Line and value of the first bad cell."""
    place = int(np.flatnonzero(bad.to_numpy())[0])
    return line_at(column, place), column.iloc[place]


def _require(
    path: Path, log: pd.DataFrame, field: str, valid: pd.Series[bool], expected: str
) -> None:
    """Raise for the first row that is not valid."""
    if not valid.all():
        line, value = _first(~valid, log[field])
        plain = value.item() if isinstance(value, np.generic) else value
        shown = "empty or NaN" if pd.isna(value) else repr(plain)
        raise DataError(f"{path}, line {line}: {field} is {shown}, not {expected}")

"""Telling early that a file is not the table that it should be."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

from recbole_imn.data.atomic import DataError

PARQUET = b"PAR1"
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
}
_LONG_TEXT = (b"\xff\xfe", b"\xfe\xff")


def require_file(path: Path) -> bytes:
    """Give the first bytes of a file that exists and is not empty.

    Raises
    ------
    DataError
        If it does not exist, is a folder, or is empty.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder; name the file in it with --input=FILE")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise DataError(f"{path}: the file is empty")
    return start


def require_text(path: Path) -> bytes:
    """Give the first bytes of a file that looks like a text table.

    Raises
    ------
    DataError
        Also if the file is packed, a web page, parquet, or text of two bytes a character.
    """
    start = require_file(path)
    for magic, kind in _PACKED.items():
        if start.startswith(magic):
            raise DataError(f"{path} is {kind}, not a text table; unpack it first")
    if start.startswith(PARQUET):
        raise DataError(f"{path} is parquet, not a text table; only the csv source reads parquet")
    if start.startswith(_LONG_TEXT):
        raise DataError(f"{path} is UTF-16 text; save it as UTF-8")
    beginning = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise DataError(
            f"{path} is a web page, perhaps the error page of a failed download; download it again"
        )
    if b"\0" in start:
        raise DataError(f"{path} is a binary file, not a text table")
    return start


def is_parquet(path: Path) -> bool:
    """Whether a file is parquet."""
    return require_file(path).startswith(PARQUET)


def first_lines(path: Path, encoding: str, count: int = 1) -> list[str]:
    """Give the first lines of a text table that are not blank.

    Raises
    ------
    DataError
        As :func:`require_text`, or if the encoding is unknown.
    """
    require_text(path)
    with path.open("rb") as file:
        data = file.read(1 << 20)
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace")
    except LookupError as error:
        raise DataError(f"there is no encoding {encoding!r}; try utf-8 or gbk") from error
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return list(islice((line for line in lines if line.strip()), count))


def first_rows(path: Path, separator: str, encoding: str, count: int = 1) -> list[list[str]]:
    """Give the cells of :func:`first_lines`."""
    return [_cells(line, separator) for line in first_lines(path, encoding, count)]


def _cells(line: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=separator))
    except csv.Error:
        cells = line.split(separator)
    return [cell.strip() for cell in cells]


def require_header(path: Path, found: list[str], expected: tuple[str, ...]) -> None:
    """Raise if a header is not the expected one.

    Raises
    ------
    DataError
        With both headers.
    """
    if tuple(name.lower() for name in found) != expected:
        raise DataError(
            f"{path}, line 1: the header is {','.join(found)[:200]!r}, not {','.join(expected)!r}"
        )

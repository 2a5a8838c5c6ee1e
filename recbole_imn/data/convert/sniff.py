"""Telling early that a file is not the table that it should be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from recbole_imn.data.convert.json_lines import parse_object
from recbole_imn.data.convert.packed import is_packed, opened
from recbole_imn.data.convert.quotes import LOOK_AHEAD, read_record
from recbole_imn.errors import DataError
from recbole_imn.places import is_same

# Bytes at the beginning of a file from which its shape is told.
BEGINNING = 1 << 20
PARQUET = b"PAR1"
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x28\xb5\x2f\xfd": "a zstd file",
}
# Files of other programs, which can write tables as text.
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
    b"ARROW1": "an Arrow file; save it as parquet",
    b"Obj\x01": "an Avro file; save it as parquet",
    b"\x89HDF": "an HDF5 file; save the table as parquet",
}
# What names the parts of spreadsheets, which are zip archives.
_SHEETS = (b"xl/", b"[Content_Types].xml", b"opendocument.spreadsheet")
_SHEET_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".ods")
# Signs with which rows and cells are told apart.
_SIGNS = '\n\r\t a0,;|":-./_'
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


def _beginning(path: Path) -> bytes:
    """Give the first bytes of a file, unpacked."""
    start = require_file(path)
    if not is_packed(start):
        return start
    with opened(path) as file:
        start = file.read(4096)
    if start.startswith(PARQUET) or start[257:262] == b"ustar":
        raise DataError(f"{path} holds no text table, packed; unpack it first")
    if not start.strip():
        raise DataError(f"{path}: the file is empty")
    return start


def require_text(path: Path) -> bytes:
    """Give the first bytes of a file that looks like a text table, unpacked.

    Raises
    ------
    DataError
        Also if the file is packed, a web page, parquet, or text of two bytes a character.
    """
    start = _beginning(path)
    if start.startswith(b"PK") and _is_sheet(path, start):
        raise DataError(f"{path} is a spreadsheet; save the sheet as CSV")
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise DataError(f"{path} is {what}")
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
    if b"\r" in start and b"\n" not in start.rstrip() and start.count(b"\r") > 1:
        raise DataError(f"{path} ends its lines as old Macs did (CR alone); save it with LF")
    return start


def _is_sheet(path: Path, start: bytes) -> bool:
    is_named_so = path.suffix.lower() in _SHEET_ENDINGS
    return is_named_so or any(part in start for part in _SHEETS)


def is_parquet(path: Path) -> bool:
    """Whether a file is parquet."""
    return require_file(path).startswith(PARQUET)


def is_json_lines(path: Path) -> bool:
    """Whether a file has a JSON object a line.

    Raises
    ------
    DataError
        If it is JSON of another shape, or has literals of Python.
    """
    start = _beginning(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith((b"{", b"[")):
        return False
    with opened(path) as file:
        line = next((line for line in file if line.strip(b" \r\n\xef\xbb\xbf")), b"")
    if parse_object(line.decode("utf-8-sig", "replace")) is not None:
        return True
    if re.match(rb"\{\s*(\"|$)|\[\s*(\{|$)", start):
        raise DataError(
            f"{path} is JSON, but not an object a line; write one a line, as jq -c '.[]' does"
        )
    if re.match(rb"\{\s*[uUbB]?'", start):
        raise DataError(
            f"{path} has literals of Python, not JSON; write objects of JSON a line: python -c "
            "'import ast, json, sys; [print(json.dumps(ast.literal_eval(x))) for x in sys.stdin]'"
        )
    return False


def blank_lines(start: bytes) -> int:
    """Count the blank lines at the start of a text."""
    text = start.removeprefix(b"\xef\xbb\xbf")
    return text[: len(text) - len(text.lstrip(b" \r\n"))].count(b"\n")


def first_lines(path: Path, encoding: str) -> list[str]:
    """Give the whole lines at the beginning of a text table, from the first that is not blank.

    Raises
    ------
    DataError
        As :func:`require_text`, or if the encoding is unknown or none of tables.
    """
    start = require_text(path)
    _require_encoding(path, encoding)
    with opened(path) as file:
        data = file.read(BEGINNING)
        if file.read(1) and b"\n" in data:
            data = data[: data.rfind(b"\n")]
    text = data.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace")
    lines = [line.removeprefix("\ufeff").removesuffix("\r") for line in text.split("\n")]
    return lines[blank_lines(start) :]


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """Give all lines of a text, those that are blank too.

    Raises
    ------
    DataError
        As :func:`first_lines`.
    """
    require_text(path)
    _require_encoding(path, encoding)
    with opened(path) as file:
        for line in file:
            yield line.decode(encoding, "replace").removeprefix("\ufeff").rstrip("\r\n")


def _require_encoding(path: Path, encoding: str) -> None:
    """Raise unless lines and separators have the bytes in an encoding that they have in ASCII."""
    try:
        is_plain = _SIGNS.encode().decode(encoding, "replace") == _SIGNS
    except LookupError as error:
        message = f"{path}: there is no encoding {encoding!r} of text; try utf-8 or gbk"
        raise DataError(message) from error
    except UnicodeError:
        is_plain = False
    if not is_plain:
        raise DataError(
            f"{path}: tables are not read in the encoding {encoding!r}; leave out --encoding "
            "if the file is UTF-8, or save it as UTF-8"
        )


def require_different(paths: Sequence[Path], what: str) -> None:
    """Raise if two files that are there are one, also by another spelling or a link.

    Raises
    ------
    DataError
        With both names; ``what`` of the file would be read twice.
    """
    for place, path in enumerate(paths):
        for other in paths[:place]:
            if is_same(path, other):
                also = "" if path == other else f", also as {other}"
                raise DataError(f"{path} is named twice{also}; its {what} would be read twice")


def first_records(
    lines: Sequence[str], separator: str, count: int, quoted: bool = True
) -> list[tuple[list[str], int]]:
    """Give the cells of the first records that are not blank, and how many lines each has."""
    found: list[tuple[list[str], int]] = []
    place = 0
    while place < len(lines) and len(found) < count:
        cells, n_lines = [cell.strip() for cell in lines[place].split(separator)], 1
        if quoted and '"' in lines[place]:
            # What is broken stays as it is: only the beginning of the table is looked at.
            with suppress(ValueError):
                ahead = (f"{line}\n" for line in lines[place : place + LOOK_AHEAD])
                cells, n_lines = read_record(ahead, separator)
        if lines[place].strip(" "):
            found.append(([cell.strip() for cell in cells], n_lines))
        place += n_lines
    return found


def first_rows(path: Path, separator: str, count: int = 1) -> list[list[str]]:
    """Give the cells of the first records of a text table in UTF-8.

    Raises
    ------
    DataError
        As :func:`first_lines`.
    """
    return [cells for cells, _ in first_records(first_lines(path, "utf-8"), separator, count)]


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

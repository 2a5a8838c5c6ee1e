"""Text tables as they are, or packed by gzip, bzip2 or xz, which is undone while they are read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from recbole_imn.errors import DataError

# How packed files begin, and what reads them.
_FORMATS: Sequence[tuple[re.Pattern[bytes], Callable[[Any], Any]]] = (
    (re.compile(rb"\x1f\x8b"), lambda file: gzip.GzipFile(fileobj=file, mode="rb")),
    # A table may begin with the letters alone.
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.BZ2File),
    (re.compile(rb"\xfd7zXZ\0"), lzma.LZMAFile),
)
_LONGEST_START = 10
Watch = Callable[[bytes], None]


def nobody(data: bytes) -> None:
    """Hear of bytes that were read."""


def is_packed(start: bytes) -> bool:
    """Whether a file that begins so is packed in a way that can be undone here."""
    return _unpacker(start) is not None


def _unpacker(start: bytes) -> Callable[[Any], Any] | None:
    return next((reader for begins, reader in _FORMATS if begins.match(start)), None)


class _Watched:
    """A file of which somebody is told every byte that is read."""

    def __init__(self, file: BinaryIO, watch: Watch) -> None:
        self._file, self._watch = file, watch

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._watch(data)
        return data


@contextmanager
def opened(path: Path, watch: Watch = nobody) -> Iterator[BinaryIO]:
    """Open a table for reading, unpacked where it is packed.

    Parameters
    ----------
    path : Path
    watch : callable
        Told the bytes of the file as it is, in order, as they are read.

    Raises
    ------
    DataError
        If a packed file is damaged.
    """
    with path.open("rb") as raw:
        unpacker = _unpacker(raw.read(_LONGEST_START))
        raw.seek(0)
        watched = cast(BinaryIO, _Watched(raw, watch))
        if unpacker is None:
            yield raw if watch is nobody else watched
            return
        try:
            with unpacker(watched) as file:
                yield cast(BinaryIO, file)
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            # Those of the disk have a number, those of gzip and bzip2 have none.
            if getattr(error, "errno", None) is not None:
                raise
            raise DataError(f"{path} is damaged: {error}; copy or download it again") from error

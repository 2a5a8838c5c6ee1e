"""Text tables as they are, or packed by gzip, which is undone while they are read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from recbole_imn.errors import DataError

GZIP = b"\x1f\x8b"
Watch = Callable[[bytes], None]


def nobody(data: bytes) -> None:
    """Hear of bytes that were read."""


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
        is_packed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        watched = cast(BinaryIO, _Watched(raw, watch))
        if not is_packed:
            yield raw if watch is nobody else watched
            return
        try:
            with gzip.GzipFile(fileobj=watched, mode="rb") as file:
                yield cast(BinaryIO, file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{path} is damaged: {error}; copy or download it again") from error

"""A lock on a file that ends with the process, however that ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO


class Lock:
    """Says that a process works on something.

    Parameters
    ----------
    path : Path
        An empty file that is there as long as somebody works.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Take the lock, or give False if somebody else has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while self._file is None:
            file = self.path.open("ab")
            try:
                _lock(file)
            except OSError:
                file.close()
                return False
            if self._is_path_of(file):
                self._file = file
            else:  # whoever had it has removed it meanwhile
                file.close()
        return True

    def give_back(self) -> None:
        """Let others take the lock, and remove its file."""
        if self._file is None:
            return
        with suppress(OSError):  # Windows removes no file that is open
            self.path.unlink()
        self._file.close()
        self._file = None
        if os.name == "nt":
            with suppress(OSError):
                self.path.unlink()

    def _is_path_of(self, file: IO[bytes]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

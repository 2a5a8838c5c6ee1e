"""A lock on a file that ends with the process, however that ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO


class Lock:
    """Says that a process works on something.

    Parameters
    ----------
    path : Path
        An empty file that is made for it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Take the lock, or give False if somebody else has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("ab")
        try:
            _lock(file)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def give_back(self) -> None:
        """Let others take the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Remove the file, unless somebody works with it."""
        if self.take():
            # Windows removes no file that is open.
            if os.name == "nt":
                self.give_back()
            self.path.unlink(missing_ok=True)
            self.give_back()


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

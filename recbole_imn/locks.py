"""Locks on files and folders that end with the process that holds them, however it ends.

They leave nothing behind. Where the system has none (Windows, some network drives) they hold
nobody up, and nothing that another process may still be using is ever removed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def take(descriptor: int, *, shared: bool = False, wait: bool = False) -> bool | None:
    """Take the lock of an open file or folder; closing it gives the lock back.

    Returns
    -------
    bool or None
        Whether it was taken; None where there are no locks.
    """
    if sys.platform == "win32":
        return None
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def open_for_lock(path: Path) -> int | None:
    """Open a file or folder to take its lock; None on Windows, which locks what is open."""
    return None if sys.platform == "win32" else os.open(path, os.O_RDONLY)


class Lock:
    """A lock for as long as somebody works on something, on an empty file beside it.

    Parameters
    ----------
    path : Path
        Is made with the lock, and removed with it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock, or give False if somebody else has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while self._descriptor is None:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CREAT)
            if take(descriptor) is False:
                os.close(descriptor)
                return False
            if self._is_there(descriptor):
                self._descriptor = descriptor
            else:  # whoever had it has removed it meanwhile
                os.close(descriptor)
        return True

    def give_back(self) -> None:
        """Let others take the lock, and remove its file."""
        if self._descriptor is None:
            return
        with suppress(OSError):  # Windows removes no file that is open
            self.path.unlink()
        os.close(self._descriptor)
        self._descriptor = None

    def _is_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False


def close(descriptor: int | None) -> None:
    """Give back what :func:`open_for_lock` opened, if it did."""
    if descriptor is not None:
        os.close(descriptor)


@contextmanager
def opened_for_lock(path: Path) -> Iterator[int | None]:
    """Open a file or folder as :func:`open_for_lock` does, and close it at the end."""
    descriptor = open_for_lock(path)
    try:
        yield descriptor
    finally:
        close(descriptor)


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of a file or folder, waiting for whoever has it.

    Parameters
    ----------
    path : Path
    shared : bool
        Whether others who share may hold it too.
    """
    with opened_for_lock(path) as descriptor:
        if descriptor is not None:
            take(descriptor, shared=shared, wait=True)
        yield


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold the lock of a file or folder, or refuse if another process has it.

    Parameters
    ----------
    path : Path
    what : str
        Who would have it, such as ``a benchmark``.

    Raises
    ------
    ValueError
        If another process has the lock; one line for people.
    """
    with opened_for_lock(path) as descriptor:
        if descriptor is not None and take(descriptor) is False:
            raise ValueError(
                f"{path} is in use by {what} that runs already; wait for its end, or choose "
                "another --out"
            )
        yield

"""Many readers or one writer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, get_ident


class ReadWriteLock:
    """Lets any number of threads read together, and one write alone.

    A thread that writes may read and write again; one that reads must not write.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._readers = 0
        self._writer: int | None = None
        self._depth = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wait for the writer to end."""
        if self._writer == get_ident():
            yield
            return
        with self._changed:
            self._changed.wait_for(lambda: self._writer is None)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wait for all others to end."""
        with self._changed:
            if self._writer != get_ident():
                self._changed.wait_for(lambda: self._writer is None and self._readers == 0)
                self._writer = get_ident()
            self._depth += 1
        try:
            yield
        finally:
            with self._changed:
                self._depth -= 1
                if self._depth == 0:
                    self._writer = None
                    self._changed.notify_all()

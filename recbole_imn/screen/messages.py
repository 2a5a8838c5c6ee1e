"""RecBole's log while a screen is there: all of it goes to the file, warnings to people as well."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recbole_imn.screen.terminal import Screen


class Warnings(logging.Handler):
    """Hands warnings, and what is worse, to a screen.

    Parameters
    ----------
    screen : Screen
    is_shown : callable
        Whether the screen says a message anyway.
    """

    def __init__(self, screen: Screen, is_shown: Callable[[str], bool]) -> None:
        super().__init__(logging.WARNING)
        self._screen, self._is_shown = screen, is_shown

    def emit(self, record: logging.LogRecord) -> None:
        """Show a message in a line."""
        message = record.getMessage()
        if not self._is_shown(message):
            self._screen.warn(message)


@contextmanager
def warnings_alone(screen: Screen, is_shown: Callable[[str], bool]) -> Iterator[None]:
    """Let a screen take the place of the root logger's console meanwhile.

    Parameters as of :class:`Warnings`.
    """
    root, warnings = logging.getLogger(), Warnings(screen, is_shown)
    # A file is one as well, by its class.
    consoles = [one for one in root.handlers if type(one) is logging.StreamHandler]
    for console in consoles:
        root.removeHandler(console)
        # A program may be told to say less: state: ERROR.
        warnings.setLevel(max(warnings.level, console.level))
    root.addHandler(warnings)
    try:
        yield
    finally:
        root.removeHandler(warnings)
        for console in consoles:
            root.addHandler(console)


def log_file() -> str | None:
    """Give the file that the root logger writes to, if there is one, seen from here."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and handler.baseFilename != os.devnull:
            return os.path.relpath(handler.baseFilename)
    return None

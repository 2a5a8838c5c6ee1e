"""Lines, warnings and bars, on a terminal or as plain text where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from recbole_imn.screen.progress import Bar


class Screen:
    """Shows lines, one below the other, and at most one bar below them.

    The lines are the same wherever they go; styles and bars are for terminals.

    Attributes
    ----------
    console : rich.console.Console
        Of standard output, as it is when the screen is made.
    is_terminal : bool
        Whether there is a terminal that can move its cursor.
    """

    def __init__(self) -> None:
        self.console = Console(
            file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self.is_terminal = self.console.is_terminal and not self.console.is_dumb_terminal
        self._bar: Bar | None = None

    def show(self, line: str = "", style: str = "") -> None:
        """Show a line, whole, however narrow the terminal is."""
        self.console.print(Text(self._printable(line), style))

    def warn(self, message: str) -> None:
        """Show a warning on standard error, above a bar where there is one."""
        print(f"warning: {Text.from_ansi(message).plain}", file=sys.stderr, flush=True)

    def bar(
        self,
        iterable: Iterable[Any],
        desc: str = "",
        total: int | None = None,
        disable: bool | None = False,
        **_: Any,
    ) -> Bar:
        """Make a bar in tqdm's stead, of the same arguments; further ones are for tqdm alone."""
        # Nobody closes the bar of an iteration that an error has ended.
        self.close()
        shown = self.is_terminal and not disable
        self._bar = Bar(self.console, iterable, Text.from_ansi(desc).plain, total, shown)
        return self._bar

    def close(self) -> None:
        """Take away a bar that is still there."""
        if self._bar is not None:
            self._bar.close()

    def _printable(self, line: str) -> str:
        encoding = self.console.encoding
        return line.encode(encoding, "backslashreplace").decode(encoding)

"""A bar that is there while something is iterated over, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

# Seconds between two looks of a bar.
PAUSE = 0.25


class Bar:
    """Gives what an iterable gives, and shows how much of it.

    No thread draws it: data loaders may start processes while it is there.

    Parameters
    ----------
    console : rich.console.Console
    iterable : iterable
    title : str
    total : int, optional
        How much it gives; by default its length, if it has one.
    shown : bool
        Whether there is anything to see.
    """

    def __init__(
        self, console: Console, iterable: Iterable[Any], title: str, total: int | None, shown: bool
    ) -> None:
        self._iterable, self._shown = iterable, shown
        self._console, self._title = console, " ".join(title.split())
        self._total = len(iterable) if total is None and isinstance(iterable, Sized) else total
        self._note = ""
        self._progress: Progress | None = None

    def __len__(self) -> int:
        """Give how much there is."""
        return self._total or 0

    def __iter__(self) -> Iterator[Any]:
        """Give everything in turn."""
        if not self._shown:
            yield from self._iterable
            return
        progress = self._progress = self._open()
        task = progress.add_task(self._title, total=self._total, note="")
        drawn = monotonic()
        try:
            for done, one in enumerate(self._iterable, 1):
                yield one
                # Whoever iterates asks for the next one when it is done with this one.
                if monotonic() - drawn >= PAUSE:
                    progress.update(task, completed=done, note=self._note, refresh=True)
                    drawn = monotonic()
        finally:
            self.close()

    def set_postfix_str(self, note: str) -> None:
        """Show a note beside the bar, as tqdm does."""
        self._note = note

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _open(self) -> Progress:
        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            transient=True,
            auto_refresh=False,
        )
        progress.start()
        # A process that is killed would leave the terminal without one.
        self._console.show_cursor(True)
        return progress

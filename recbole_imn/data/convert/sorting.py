"""Sorting more events than fit in memory: sorted runs on disk, merged range by range."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

RANGE_ROWS = 2_000_000
# Every so many rows of a run, its time is kept to choose ranges by.
SAMPLE_STEP = 1_024
# Rows up to which all times are looked at once more.
SHORT_LOG = 100_000

Times = npt.NDArray[np.int64]
# For each run that has events in the range: its file, its first row, and the row after its last.
Range = list[tuple[Path, int, int]]


class SortedRuns:
    """Events in blocks as they come, out again sorted by time, ties in the order they came.

    Each block is sorted and written to disk as a run. The merge takes a range of times from
    every run, in the order of the runs, and sorts it stably. Memory is bounded by a block and
    by a range of about ``RANGE_ROWS`` events, or by the events of one single time if they
    are more.

    Parameters
    ----------
    folder : Path
        For the runs; whoever makes it removes it.

    Attributes
    ----------
    rows : int
        Events added.
    earliest, latest : int
        First and last time, microseconds since 1970; 0 while there are no events.
    whole_seconds : bool
        Whether every time is a whole second.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: list[Path] = []
        self._samples: list[Times] = []
        self.rows = 0
        self.earliest = self.latest = 0
        self.whole_seconds = True

    def add(self, events: pl.DataFrame) -> None:
        """Sort a block of events by ``time`` (int64 microseconds) and write it to disk."""
        if events.is_empty():
            return
        run = events.sort("time", maintain_order=True)
        path = self._folder / f"run{len(self._paths):06d}.ipc"
        run.write_ipc(path)
        times = run["time"].to_numpy()
        self._paths.append(path)
        self._samples.append(times[::SAMPLE_STEP].copy())
        first, last = int(times[0]), int(times[-1])
        self.earliest = min(first, self.earliest) if self.rows else first
        self.latest = max(last, self.latest) if self.rows else last
        self.rows += len(run)
        self.whole_seconds &= not bool((times % 1_000_000).any())

    def sample(self) -> npt.NDArray[np.float64]:
        """Give times in seconds since 1970: all of them, or of a long log some, the ends included.

        Returns
        -------
        float64 [n]
        """
        if self.rows <= SHORT_LOG:
            parts = [self._times(path) for path in self._paths]
        else:
            parts = [*self._samples, np.array([self.earliest, self.latest])]
        return np.concatenate(parts) / 1e6

    def ranges(self) -> Iterator[Range]:
        """Give ranges of times that hold all events, in order of time."""
        cuts = self._cuts()
        bounds = np.array([self._bounds(path, cuts) for path in self._paths])
        for start, stop in zip(bounds[:, :-1].T, bounds[:, 1:].T, strict=True):
            pieces = zip(self._paths, start.tolist(), stop.tolist(), strict=True)
            found = [(path, begin, end) for path, begin, end in pieces if begin < end]
            if found:
                yield found

    @staticmethod
    def merge(pieces: Range) -> pl.DataFrame:
        """Read a range, sorted by time, ties in the order they came."""
        parts = [
            pl.scan_ipc(path).slice(begin, end - begin).collect() for path, begin, end in pieces
        ]
        return pl.concat(parts).sort("time", maintain_order=True)

    def _cuts(self) -> Times:
        """Choose the times at which ranges begin, the first left out."""
        if not self._samples:
            return np.zeros(0, np.int64)
        samples = np.sort(np.concatenate(self._samples))
        cuts = samples[:: max(RANGE_ROWS // SAMPLE_STEP, 1)][1:]
        # A time that many events share gets a range of its own.
        heavy = cuts[1:][cuts[1:] == cuts[:-1]]
        ranges: Times = np.unique(np.concatenate([cuts, heavy + 1]))
        return ranges

    @staticmethod
    def _times(path: Path) -> Times:
        return pl.scan_ipc(path).select("time").collect()["time"].to_numpy()

    def _bounds(self, path: Path, cuts: Times) -> Times:
        """Give the rows of a run at which ranges begin and end, int64 [n_cuts + 2]."""
        times = self._times(path)
        inside = np.searchsorted(times, cuts, side="left")
        return np.concatenate([[0], inside, [len(times)]])

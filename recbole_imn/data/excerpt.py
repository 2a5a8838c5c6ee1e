"""The end of a log's training part and its validation part, without the test part: for tuning.

An excerpt is made before anything is counted, scaled or given an id, so that nothing of a
model that is tuned on it, whoever wrote the model, can come from a test event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Excerpt:
    """Positions in a log that is cut.

    Attributes
    ----------
    start : int
        Of the events that are kept.
    validation : int
        Where the training events end.
    stop : int
        Where the validation part ends, and the excerpt with it.
    """

    start: int
    validation: int
    stop: int

    @classmethod
    def latest(cls, n_training: int, validation: int, test: int) -> Excerpt:
        """Keep the latest training events and the validation part.

        Parameters
        ----------
        n_training : int
            How many training events at most.
        validation, test : int
            Where these parts of the whole log begin.
        """
        return cls(max(0, validation - n_training), validation, test)

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Start of training, of validation, of test and the end, in the excerpt's positions."""
        n_events = self.stop - self.start
        return 0, self.validation - self.start, n_events, n_events


def spread(n_rows: int, at_most: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw rows that are spread evenly over a part: one of each of as many equal stretches.

    Parameters
    ----------
    n_rows : int
    at_most : int
        All rows are chosen where there are no more.
    seed : int

    Returns
    -------
    int64 [min(n_rows, at_most)]
        Places in increasing order.
    """
    if n_rows <= at_most:
        return np.arange(n_rows, dtype=np.int64)
    ends = np.arange(at_most + 1, dtype=np.int64) * n_rows // at_most
    return np.random.default_rng(seed).integers(ends[:-1], ends[1:])


def evenly(n_rows: int, at_most: int) -> npt.NDArray[np.int64]:
    """Choose rows that lie evenly in a part, the last one among them.

    Parameters
    ----------
    n_rows : int
    at_most : int
        All rows are chosen where there are no more.

    Returns
    -------
    int64 [min(n_rows, at_most)]
        Places in increasing order.
    """
    n_chosen = min(n_rows, at_most)
    return (np.arange(1, n_chosen + 1, dtype=np.int64) * n_rows) // max(n_chosen, 1) - 1

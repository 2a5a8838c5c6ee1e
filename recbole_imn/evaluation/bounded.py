"""As many rows of a ranking at a time as memory is set aside for."""

from __future__ import annotations

from typing import Any

from recbole.data.dataloader import FullSortEvalDataLoader

# A score, and what RecBole's evaluator and ours make beside it: counts, marks and copies.
BYTES_A_SCORE = 20
MEGABYTE = 1 << 20


def rows_that_fit(n_items: int, megabytes: int) -> int:
    """Give how many rows by a catalogue fit in some memory; one at least."""
    return max(1, megabytes * MEGABYTE // (n_items * BYTES_A_SCORE))


def mend() -> None:
    """Let no batch of a full ranking take more than ``ranking_memory`` megabytes.

    RecBole ranks ``eval_batch_size`` rows at a time, however large the catalogue is
    (data/dataloader/general_dataloader.py, ``FullSortEvalDataLoader``).
    """
    original = FullSortEvalDataLoader._init_batch_size_and_step

    def bounded(self: Any) -> None:
        original(self)
        megabytes = self.config["ranking_memory"]
        if self.is_sequential and megabytes:
            self.step = min(self.step, rows_that_fit(self._dataset.item_num, megabytes))
            self.set_batch_size(self.step)

    FullSortEvalDataLoader._init_batch_size_and_step = bounded

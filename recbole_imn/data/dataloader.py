"""Consecutive windows of the event stream as training batches."""

from __future__ import annotations

from logging import getLogger
from typing import Any

from recbole.data.dataloader import AbstractDataLoader
from recbole.data.interaction import Interaction

from recbole_imn.errors import SettingsError


class WindowDataLoader(AbstractDataLoader):  # type: ignore[misc]  # RecBole is untyped
    """Give the training events in order, ``train_batch_size`` of them at a time.

    Windows hold every event, the users' first ones included: they move states though there
    is nothing to predict yet. Shuffling would break the recursion and is refused.

    Parameters
    ----------
    config : Config
    dataset : StreamDataset
        The training part.
    sampler : object
        Unused; models of the stream draw their own negatives.
    shuffle : bool
        Must be False.

    Raises
    ------
    SettingsError
        If shuffling or several processes are asked for.
    """

    def __init__(self, config: Any, dataset: Any, sampler: Any, shuffle: bool = False) -> None:
        if shuffle:
            raise SettingsError(
                f"shuffle is True, but {config['model']} trains on consecutive windows of one "
                "stream; set shuffle: False"
            )
        if not config["single_spec"]:
            raise SettingsError(
                f"{config['model']} trains on one process: its windows depend on each other"
            )
        self.logger = getLogger()
        self.sample_size = dataset.event_stop - dataset.event_start
        super().__init__(config, dataset, sampler, shuffle=False)

    def _init_batch_size_and_step(self) -> None:
        self.step = self.config["train_batch_size"]
        self.set_batch_size(self.step)

    def collate_fn(self, index: list[int]) -> Interaction:
        """Give a window as an interaction of its events."""
        start = self._dataset.event_start
        return self._dataset.window(start + index[0], start + index[-1] + 1)

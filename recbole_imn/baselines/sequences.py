"""Users' training events as sequences: a batch of pieces in which every position has a target."""

from __future__ import annotations

from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import AbstractDataLoader
from recbole.data.interaction import Interaction

from recbole_imn.errors import SettingsError
from recbole_imn.log import Ids, Integers


def pieces_of(users: Ids, longest: int) -> tuple[Integers, Integers]:
    """Cut every user's events into pieces, from the latest one back.

    Two pieces that follow each other share an event: the last input of one target of the other.
    So each event but a user's first is the target of one position.

    Parameters
    ----------
    users : int [n_events]
        In time order.
    longest : int
        Inputs of a piece, at most; it has one event more.

    Returns
    -------
    order : int64 [n_events]
        Events by user, in time order.
    bounds : int64 [n_pieces, 2]
        Where each piece starts and stops in ``order``.
    """
    order = np.argsort(users, kind="stable")
    starts = np.flatnonzero(np.diff(users[order], prepend=-1))
    stops = np.append(starts, len(users))[1:]
    bounds = [
        (max(start, last - longest), last + 1)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
        for last in range(stop - 1, start, -longest)
    ]
    return order.astype(np.int64), np.array(bounds, np.int64).reshape(-1, 2)


class SequenceDataLoader(AbstractDataLoader):  # type: ignore[misc]  # RecBole is untyped
    """Give pieces of the users' training events, ``train_batch_size`` of them at a time.

    Parameters
    ----------
    config : Config
        ``MAX_ITEM_LIST_LENGTH``: inputs of a piece, at most.
    dataset : StreamDataset
        The training part.
    sampler : object
        Unused; negatives are drawn by the model.
    shuffle : bool

    Raises
    ------
    SettingsError
        If several processes are asked for.
    """

    def __init__(self, config: Any, dataset: Any, sampler: Any, shuffle: bool = False) -> None:
        if not config["single_spec"]:
            raise SettingsError(f"{config['model']} trains on one process")
        self.logger = getLogger()
        log, (start, stop) = dataset.log, dataset.event_bounds[:2]
        order, self.bounds = pieces_of(log.user[start:stop], config["MAX_ITEM_LIST_LENGTH"])
        self.items = torch.from_numpy(log.item[start:stop][order].astype(np.int64))
        self.sample_size = len(self.bounds)
        super().__init__(config, dataset, sampler, shuffle=shuffle)

    def _init_batch_size_and_step(self) -> None:
        self.step = self.config["train_batch_size"]
        self.set_batch_size(self.step)

    def collate_fn(self, index: list[int]) -> Interaction:
        """Give pieces, int64 [n, longest_of_them], oldest item first, padded with 0."""
        pieces = [self.items[start:stop] for start, stop in self.bounds[index].tolist()]
        items = torch.nn.utils.rnn.pad_sequence(pieces, batch_first=True)
        dataset = self._dataset
        lengths = torch.tensor([len(piece) for piece in pieces])
        return Interaction(
            {
                f"{dataset.iid_field}{self.config['LIST_SUFFIX']}": items,
                dataset.item_list_length_field: lengths,
            }
        )

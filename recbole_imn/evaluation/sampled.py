"""Evaluation among sampled candidates, each row of the stream by itself.

RecBole's loader (data/dataloader/general_dataloader.py, ``NegSampleEvalDataLoader``) joins the
rows of a user: all their true items are ranked in one list, by whichever row scored them last,
so that MRR lies above NDCG. It also draws from the global random state, which changes what
training draws next, and gives the same weights other figures each time.
"""

from __future__ import annotations

from logging import getLogger
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader.abstract_dataloader import NegSampleDataLoader
from recbole.data.interaction import Interaction
from recbole.utils import InputType
from torch import Tensor

from recbole_imn.errors import DataError
from recbole_imn.evaluation.drawing import drawing_nothing
from recbole_imn.log import Floats, Integers
from recbole_imn.model.rows import event_indices


class SampledEvalDataLoader(NegSampleDataLoader):  # type: ignore[misc]  # RecBole is untyped
    """Rows with their true item and ``N`` sampled others, for ``mode: uniN`` and ``popN``.

    What is drawn for an event depends on the seed and the event alone: it is the same in
    every epoch, for every model, and whatever the batch size. Items are drawn with
    replacement as by RecBole; ``pop`` draws by the number of events in the whole log.

    Parameters
    ----------
    config : Config
    dataset : StreamDataset
        The rows of a part.
    sampler : object
        Unused.
    shuffle : bool
        Rows keep their order.

    Raises
    ------
    DataError
        If there is no other item than a row's own.
    """

    def __init__(self, config: Any, dataset: Any, sampler: Any, shuffle: bool = False) -> None:
        self.logger = getLogger()
        phase = "test" if sampler is None else sampler.phase
        self._set_neg_sample_args(
            config, dataset, InputType.POINTWISE, config[f"{phase}_neg_sample_args"]
        )
        self.sample_size = len(dataset)
        weights = np.ones(dataset.item_num)
        if self.neg_sample_args["distribution"] == "popularity":
            weights = np.bincount(dataset.log.item, minlength=dataset.item_num).astype(float)
        weights[0] = 0.0
        self._ends = weights.cumsum()
        if np.count_nonzero(weights) < 2:
            raise DataError(
                f"data set {dataset.dataset_name!r} has fewer than two items, so none can be "
                "sampled beside the true one; use eval_args mode: full"
            )
        super().__init__(config, dataset, sampler, shuffle=False)

    def _init_batch_size_and_step(self) -> None:
        self.step = max(self.config["eval_batch_size"] // self.times, 1)
        self.set_batch_size(self.step * self.times)

    @drawing_nothing
    def collate_fn(self, index: list[int]) -> tuple[Interaction, Tensor, Tensor, Tensor]:
        """Give rows with their true items, then the same rows with the others, draw by draw.

        Returns
        -------
        interaction : Interaction
            [n_rows * (1 + N)], true items first.
        scored_rows : int64 [n_rows * (1 + N)]
            Row of each score.
        rows, items : int64 [n_rows]
            The true items.
        """
        rows = self.transform(self._dataset, self._dataset[np.array(index)])
        items = rows[self.iid_field]
        drawn = [
            draw_others(self._ends, int(item), self.neg_sample_num, [self.config["seed"], event])
            for item, event in zip(items, event_indices(rows).tolist(), strict=True)
        ]
        others = torch.from_numpy(np.stack(drawn, axis=1).reshape(-1))
        joined = self._neg_sample_by_point_wise_sampling(rows, others)
        places = torch.arange(len(items))
        return joined, places.repeat(self.times), places, items


def draw_others(ends: Floats, own: int, n: int, seed: list[int]) -> Integers:
    """Draw items other than one, with replacement, int64 [n].

    Parameters
    ----------
    ends : float64 [n_items]
        Running sums of how often each item is drawn, relatively; the first, padding, never.
    own : int
        The item that is left out, at least 1.
    n : int
    seed : list of int
    """
    start, width = ends[own - 1], ends[own] - ends[own - 1]
    # Places on a line of all items but the own one, which is skipped.
    places = np.random.default_rng(seed).random(n) * (ends[-1] - width)
    places += np.where(places >= start, width, 0.0)
    # The last place may be rounded up to the line's end.
    drawn: Integers = np.searchsorted(
        ends, np.minimum(places, ends[-1] * (1 - 1e-15)), side="right"
    )
    return drawn

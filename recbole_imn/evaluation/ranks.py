"""Exact ranks of the true items, taken from the very scores that RecBole's evaluator sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import torch
from recbole.quick_start import quick_start
from torch import Tensor

from recbole_imn.evaluation.full_ranking import ranks_of_scores
from recbole_imn.evaluation.sampled import SampledEvalDataLoader
from recbole_imn.model.rows import EVENT_INDEX
from recbole_imn.processes import group, join_numbered

COLUMNS = ("event_index", "user", "item", "rank", "ties")


class RankRecorder:
    """Keeps the ranks of each evaluation of a RecBole trainer.

    It listens where the trainer hands scores to its collector, so ranks are those of the
    same rows, candidates and scores as RecBole's metrics, at no second pass.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
        Its ``evaluate`` and collector are wrapped on this object alone.

    Attributes
    ----------
    sampled : bool
        Whether the latest ranks are among sampled items.
    """

    def __init__(self, trainer: Any) -> None:
        self._parts: list[dict[str, Tensor]] = []
        self._dataset: Any = None
        self.sampled = False
        self._collect: Callable[..., None] = trainer.eval_collector.eval_batch_collect
        self._evaluate: Callable[..., Any] = trainer.evaluate
        trainer.eval_collector.eval_batch_collect = self._listen
        trainer.evaluate = self._start

    def _start(self, eval_data: Any, *args: Any, **kwargs: Any) -> Any:
        self._parts = []
        self._dataset = getattr(eval_data, "_dataset", None)
        self.sampled = isinstance(eval_data, SampledEvalDataLoader)
        return self._evaluate(eval_data, *args, **kwargs)

    def _listen(self, scores: Tensor, interaction: Any, rows: Tensor, items: Tensor) -> None:
        if scores.ndim == 2 and EVENT_INDEX in interaction.interaction:
            rank, ties = ranks_of_scores(scores, items.to(scores.device))
            self._parts.append(
                {
                    # Rows come first, and sampled items after them.
                    "event_index": interaction[EVENT_INDEX][: len(items)].cpu(),
                    "rank": rank.cpu(),
                    "ties": ties.cpu(),
                }
            )
        self._collect(scores, interaction, rows, items)

    def join(self) -> None:
        """Join the rows that several processes have ranked, each some of them."""
        self._parts = [part for own in join_numbered({group().rank: self._parts}) for part in own]

    def table(self) -> pd.DataFrame:
        """Give the rows of the latest evaluation, in order of the stream.

        Returns
        -------
        DataFrame
            A row an event: ``event_index`` (int64), ``user``, ``item`` (tokens of the log),
            ``rank`` (float64) and ``ties`` (int64), among sampled items where
            :attr:`sampled`. Empty if rows were no events of a stream, or none was ranked.
        """
        if not self._parts:
            return pd.DataFrame({name: [] for name in COLUMNS})
        columns = {
            name: torch.cat([part[name] for part in self._parts]).numpy()
            for name in ("event_index", "rank", "ties")
        }
        dataset, events = self._dataset, columns["event_index"]
        log = dataset.log
        columns["user"] = dataset.id2token(dataset.uid_field, log.user[events])
        columns["item"] = dataset.id2token(dataset.iid_field, log.item[events])
        table = pd.DataFrame({name: columns[name] for name in COLUMNS})
        return table.sort_values("event_index", ignore_index=True)


@contextmanager
def told_of_trainers(hear: Callable[[Any], object]) -> Iterator[None]:
    """Tell of each trainer that RecBole's quick start makes meanwhile, once it is made."""
    original: Callable[..., Any] = quick_start.get_trainer

    def get_trainer(*names: Any) -> Callable[[Any, Any], Any]:
        def make(config: Any, model: Any) -> Any:
            trainer = original(*names)(config, model)
            hear(trainer)
            return trainer

        return make

    quick_start.get_trainer = get_trainer
    try:
        yield
    finally:
        quick_start.get_trainer = original


@contextmanager
def recorded_trainers() -> Iterator[list[tuple[Any, RankRecorder]]]:
    """Record the ranks of the trainers that RecBole's quick start makes meanwhile.

    Yields
    ------
    list of (Trainer, RankRecorder)
        Grows by a pair for every trainer that is made.
    """
    made: list[tuple[Any, RankRecorder]] = []
    with told_of_trainers(lambda trainer: made.append((trainer, RankRecorder(trainer)))):
        yield made

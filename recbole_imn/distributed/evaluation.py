"""Evaluation by several processes: each ranks whole batches, and every row counts once.

Which batches there are does not depend on how many processes share them, so that a row's scores
have the same bits. What is collected of rows is joined in the order of the batches before any
metric is computed: a mean over rows is that of one process, whoever has how many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.evaluator.collector import Collector
from recbole.trainer import Trainer
from torch import Tensor

from recbole_imn.evaluation.collecting import OF_ONE_EVALUATION
from recbole_imn.evaluation.sampled import SampledEvalDataLoader
from recbole_imn.processes.group import group
from recbole_imn.processes.rows import join_numbered

# Loaders whose batches draw nothing from a random state that goes on.
DRAW_NOTHING = (FullSortEvalDataLoader, SampledEvalDataLoader)
SHARED = "_shared_by_processes"


def install() -> None:
    """Share evaluations of all trainers (trainer/trainer.py:546, evaluator/collector.py)."""
    Trainer.evaluate = _evaluate(Trainer.evaluate)
    Collector.eval_batch_collect = _collect(Collector.eval_batch_collect)
    Collector.get_data_struct = _take(Collector.get_data_struct)


class OwnBatches:
    """A loader that gives some of its batches, those of this process."""

    # What it is mixed with has them.
    numbers: list[int]
    whole: Any

    def __iter__(self) -> Iterator[Any]:
        """Give the batches."""
        if isinstance(self.whole, DRAW_NOTHING):
            return (batch_of(self.whole, number) for number in self.numbers)
        # The others are drawn as well, for the random state that all processes have.
        chosen = set(self.numbers)
        return (batch for number, batch in enumerate(self.whole) if number in chosen)

    def __len__(self) -> int:
        """Return their number."""
        return len(self.numbers)

    def __bool__(self) -> bool:
        """Say that there are rows, if of others: RecBole evaluates no loader without batches."""
        return True


def batch_of(loader: Any, number: int) -> Any:
    """Give a batch of an evaluation loader, which never shuffles."""
    start = number * loader.step
    return loader.collate_fn(list(range(start, min(start + loader.step, loader.sample_size))))


def chosen_batches(loader: Any, numbers: Sequence[int], first: bool) -> _Chosen:
    """Give some batches of an evaluation loader with their numbers, those of this process.

    Parameters
    ----------
    loader : recbole.data.dataloader.AbstractDataLoader
    numbers : sequence of int
        Of the batches for all processes, increasing.
    first : bool
        Whether every process gets the first of them.
    """
    own = _own(numbers)
    if first and group().rank:
        own = [*numbers[:1], *own]
    return _Chosen(loader, own)


def _own(numbers: Sequence[int]) -> list[int]:
    """Give the numbers of the batches of this process, of those for all."""
    return list(numbers[group().rank :: group().size])


class _Chosen:
    def __init__(self, loader: Any, numbers: Sequence[int]) -> None:
        self._loader, self._numbers = loader, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return ((number, batch_of(self._loader, number)) for number in self._numbers)


def own_batches(loader: Any) -> Any:
    """Give an evaluation loader with the batches of this process alone."""
    numbers = _own(range(len(loader)))
    mixed: Any = type(type(loader).__name__, (OwnBatches, type(loader)), {})
    own = mixed.__new__(mixed)
    vars(own).update(vars(loader), numbers=numbers, whole=loader)
    return own


def _evaluate(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def evaluate(self: Any, eval_data: Any, *args: Any, **kwargs: Any) -> Any:
        if not group().is_several or not eval_data:
            return original(self, eval_data, *args, **kwargs)
        own = own_batches(eval_data)
        vars(self.eval_collector)[SHARED] = _Pieces(own.numbers)
        try:
            return original(self, own, *args, **kwargs)
        finally:
            del vars(self.eval_collector)[SHARED]

    return evaluate


class _Pieces:
    """Says which rows that a collector holds are of which batch.

    Parameters
    ----------
    numbers : list of int
        Of the batches that come, in their order.
    """

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        # Of each batch so far, how many rows of each kind there were after it.
        self.ends: list[dict[str, int]] = []

    def note(self, held: Any) -> None:
        """Note that a batch has been collected."""
        self.ends.append({key: len(held[key]) for key in OF_ONE_EVALUATION if key in held})

    def join(self, held: Any) -> None:
        """Put the rows of all processes in place of those of this one."""
        own: dict[int, dict[str, Tensor]] = {}
        before: dict[str, int] = {}
        for number, ends in zip(self.numbers, self.ends, strict=True):
            own[number] = {
                key: held[key][before.get(key, 0) : end].cpu() for key, end in ends.items()
            }
            before = ends
        batches = join_numbered(own)
        for key in batches[0] if batches else ():
            held[key] = torch.cat([batch[key] for batch in batches])


def _collect(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def collect(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        pieces: _Pieces | None = vars(self).get(SHARED)
        if pieces is not None:
            pieces.note(self.data_struct)

    return collect


def _take(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @wraps(original)
    def take(self: Any) -> Any:
        pieces: _Pieces | None = vars(self).get(SHARED)
        if pieces is not None:
            pieces.join(self.data_struct)
        return original(self)

    return take

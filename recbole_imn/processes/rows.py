"""Which rows are whose, and joining what each process has found for its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from recbole_imn.processes.group import all_of, exchange_of, group

Value = TypeVar("Value")


def share(n: int, rank: int, size: int) -> slice:
    """Give the rows of a process: consecutive ones, as many as the others have, or one less.

    Parameters
    ----------
    n : int
        Rows of all processes.
    rank, size : int
    """
    return slice(n * rank // size, n * (rank + 1) // size)


def own_share(n: int) -> slice:
    """Give the rows of this process."""
    return share(n, group().rank, group().size)


def join_numbered(own: Mapping[int, Value]) -> list[Value]:
    """Give the values of all processes in the order of their numbers, each on the CPU.

    Parameters
    ----------
    own : mapping of int to anything that can be pickled
        The values of this process by their numbers, of which no other process has any.
    """
    joined = {number: value for part in all_of(dict(own)) for number, value in part.items()}
    return [joined[number] for number in sorted(joined)]


def total(value: Tensor, meanwhile: Callable[[], None] | None = None) -> Tensor:
    """Sum a tensor over all processes; all of them get the same bits.

    Parameters
    ----------
    value : Tensor
    meanwhile : callable, optional
        Done while the tensors are on their way.
    """
    work = meanwhile or _nothing
    if value.device.type == "cpu" and group().size == 2:
        return _sum_of_two(value, work)
    summed = value.clone()
    reduced: Any = distributed.all_reduce(summed, group=exchange_of(value.device), async_op=True)
    work()
    reduced.wait()
    return summed


def _nothing() -> None:
    pass


def _sum_of_two(value: Tensor, meanwhile: Callable[[], None]) -> Tensor:
    """Sum a tensor of two processes, which send it to each other at once.

    In half the steps of a reduction among any number; a sum of two has no order.
    """
    other, there = torch.empty_like(value), 1 - group().rank
    sent: Any = distributed.isend(value.contiguous(), there)
    received: Any = distributed.irecv(other, there)
    meanwhile()
    received.wait()
    sent.wait()
    return value + other

"""Which rows are whose, and joining what each process has found for its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed

from recbole_imn.processes.group import exchange_of, group

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


def join_rows(values: Sequence[npt.NDArray[Any]], n: int) -> list[npt.NDArray[Any]]:
    """Join arrays of which each process has the rows of :func:`own_share`.

    All of them travel at once, byte for byte.

    Parameters
    ----------
    values : sequence of array [n_own, ...]
        Types and shapes but for the number of rows are the same in all processes.
    n : int
        Rows of all processes.

    Returns
    -------
    list of array [n, ...]
    """
    size = group().size
    packed = b"".join(np.ascontiguousarray(value).tobytes() for value in values)
    a_row = sum(value.dtype.itemsize * int(np.prod(value.shape[1:])) for value in values)
    most = -(-n // size) * a_row
    own = torch.zeros(most, dtype=torch.uint8)
    own[: len(packed)] = torch.frombuffer(bytearray(packed), dtype=torch.uint8)
    all_of_them = torch.empty(size * most, dtype=torch.uint8)
    distributed.all_gather_into_tensor(all_of_them, own)
    parts = [_unpacked(part, values, n, rank) for rank, part in enumerate(all_of_them.split(most))]
    return [np.concatenate(found) for found in zip(*parts, strict=True)]


def _unpacked(
    packed: Tensor, like: Sequence[npt.NDArray[Any]], n: int, rank: int
) -> list[npt.NDArray[Any]]:
    """Give the arrays that a process has sent."""
    rows = share(n, rank, group().size)
    n_rows, start, found = rows.stop - rows.start, 0, []
    content = packed.numpy()
    for value in like:
        shape = (n_rows, *value.shape[1:])
        stop = start + int(np.prod(shape)) * value.dtype.itemsize
        found.append(content[start:stop].view(value.dtype).reshape(shape))
        start = stop
    return found


def join_numbered(own: Mapping[int, Value]) -> list[Value]:
    """Give the values of all processes in the order of their numbers, each on the CPU.

    Parameters
    ----------
    own : mapping of int to anything that can be pickled
        The values of this process by their numbers, of which no other process has any.
    """
    if not group().is_several:
        return [own[number] for number in sorted(own)]
    found: list[Any] = [None] * group().size
    distributed.all_gather_object(found, dict(own))
    joined = {number: value for part in found for number, value in part.items()}
    return [joined[number] for number in sorted(joined)]


def total(value: Tensor) -> Tensor:
    """Sum a tensor over all processes; all of them get the same bits."""
    summed = value.clone()
    distributed.all_reduce(summed, group=exchange_of(value.device))
    return summed

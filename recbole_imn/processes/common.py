"""Tensors that lie once on a machine, whose rows are shared out among its processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from recbole_imn.errors import SettingsError
from recbole_imn.processes.group import all_of, group, wait_for_all
from recbole_imn.processes.rows import share


@dataclass(frozen=True)
class Place:
    """A process among those of its machine.

    Attributes
    ----------
    number, size : int
        Which one it is, from 0, of how many.
    first : int
        Rank of the first one.
    """

    number: int
    size: int
    first: int

    def rows(self, n: int) -> slice:
        """Give the rows of this process, of n that lie on its machine."""
        return share(n, self.number, self.size)


def own_place() -> Place:
    """Give the place of this process on its machine."""
    members = group().members
    own = members[group().rank]
    ranks = [member.rank for member in members if member.host == own.host]
    return Place(ranks.index(own.rank), len(ranks), ranks[0])


def in_common(values: Tensor) -> Tensor:
    """Put a tensor, which all processes have, where those of a machine have it together.

    It lies in memory that has no name, and is given back when the last of them has ended, in
    whatever way. All processes call this in step.

    Parameters
    ----------
    values : Tensor
        On the CPU.

    Raises
    ------
    SettingsError
        If the system has no such memory.
    """
    common = zeros_in_common(values.shape, values.dtype)
    if group().rank == own_place().first:
        common.copy_(values)
    wait_for_all()
    return common


def zeros_in_common(
    shape: Sequence[int], dtype: torch.dtype, device: torch.device | None = None
) -> Tensor:
    """Give zeros that the processes of a machine have together, as :func:`in_common` does.

    They take no memory before they are written to.

    Parameters
    ----------
    shape : sequence of int
    dtype : torch.dtype
    device : torch.device, optional
        The CPU, as :func:`torch.zeros` would be told.

    Raises
    ------
    SettingsError
        If the system has no such memory.
    """
    if not hasattr(os, "memfd_create"):
        raise SettingsError(
            "share_tables is True, which needs memory without a name (memfd, Linux); leave it out"
        )
    place, descriptor, path = own_place(), -1, ""
    if group().rank == place.first:
        descriptor = os.memfd_create("recbole_imn")
        os.ftruncate(descriptor, max(1, prod(shape)) * dtype.itemsize)
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
    zeros = _opened(all_of(path)[place.first], shape, dtype)
    # Everybody has opened it.
    wait_for_all()
    if descriptor >= 0:
        os.close(descriptor)
    return zeros


def _opened(path: str, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    n = prod(shape)
    try:
        flat = torch.from_file(path, shared=True, size=max(1, n), dtype=dtype)
    except RuntimeError as error:
        raise SettingsError(
            f"share_tables is True, but process {group().rank} cannot open the memory of another "
            f"one ({path}): {error}; leave it out"
        ) from error
    return flat[:n].view(*shape)


def wait_for_sharers(place: Place | None) -> None:
    """Go on when everybody has come here, where tensors are in common; None says that none are."""
    if place is not None:
        wait_for_all()


def own_rows(grad: Tensor, place: Place) -> Tensor:
    """Leave of a gradient what is of the rows of one process, in its order.

    Parameters
    ----------
    grad : sparse float [n_rows, width]
        A row may occur more than once.
    place : Place
        Rows are dealt out by their numbers, since frequent ones may lie side by side.
    """
    rows = grad._indices()[0]
    own = (rows % place.size == place.number).nonzero().squeeze(1)
    return torch.sparse_coo_tensor(
        rows[own].unsqueeze(0), grad._values()[own], grad.shape, check_invariants=False
    )

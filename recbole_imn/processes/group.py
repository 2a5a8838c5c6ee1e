"""The processes of one run, as a launcher such as torchrun has started them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

Answer = TypeVar("Answer")

# What torchrun tells its processes.
ENVIRONMENT = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
# Others wait while one process reads a large log, or writes a large checkpoint.
PATIENCE = timedelta(hours=12)


@dataclass(frozen=True)
class Member:
    """A process of the run.

    Attributes
    ----------
    rank, pid : int
    host : str
    """

    rank: int
    pid: int
    host: str


@dataclass(frozen=True)
class Group:
    """The processes of a run, as one of them sees them.

    Attributes
    ----------
    rank, size : int
        Which one this is, from 0, of how many.
    members : tuple of Member
        All of them in the order of their ranks.
    store : torch.distributed.Store or None
        What the launcher keeps for all; it outlives any of the processes.
    """

    rank: int = 0
    size: int = 1
    members: tuple[Member, ...] = ()
    store: Any = None

    @property
    def writes(self) -> bool:
        """Whether this process writes files and prints; one of them does."""
        return self.rank == 0

    @property
    def is_several(self) -> bool:
        """Whether there are others."""
        return self.size > 1


class _Run:
    """What this process is part of."""

    group = Group()
    # The group of GPUs, once a device is known.
    devices: Any = None
    # Whether all processes do the same at present, so that each can do a part of it for all.
    in_step = False


def group() -> Group:
    """Give the processes of the run; one alone where nobody has started more."""
    return _Run.group


def is_launched() -> bool:
    """Whether a launcher has started this process as one of several."""
    there = all(os.environ.get(name) for name in ENVIRONMENT)
    return there and os.environ["WORLD_SIZE"] not in ("0", "1")


def join() -> Group:
    """Meet the other processes that the launcher has started, where there are any.

    Processors exchange by gloo, and so does what is no tensor of a device.
    """
    if _Run.group.is_several or not is_launched():
        return _Run.group
    store, rank, size = next(rendezvous("env://"))
    distributed.init_process_group(
        "gloo", timeout=PATIENCE, world_size=size, rank=rank, store=store
    )
    own = Member(rank, os.getpid(), socket.gethostname())
    members: list[Any] = [None] * size
    distributed.all_gather_object(members, own)
    _Run.group = Group(rank, size, tuple(members), PrefixStore("recbole_imn", store))
    return _Run.group


def use_device(device: torch.device) -> None:
    """Let tensors of GPUs be exchanged by nccl; safe to repeat."""
    if _Run.group.is_several and device.type == "cuda" and _Run.devices is None:
        _Run.devices = distributed.new_group(backend="nccl", timeout=PATIENCE)


def exchange_of(device: torch.device) -> Any:
    """Give the process group that tensors of a device are exchanged by; None is the default."""
    return _Run.devices if device.type == "cuda" else None


def leave() -> None:
    """Part from the others, all of which have come to their end."""
    if _Run.group.is_several:
        distributed.barrier()
        distributed.destroy_process_group()
    _Run.group, _Run.devices = Group(), None


def wait_for_all() -> None:
    """Go on when every process has come here."""
    if _Run.group.is_several:
        distributed.barrier()


def one_first(work: Callable[[], Answer]) -> Answer:
    """Let one process do what the others then find done, such as making a file."""
    if _Run.group.writes:
        done = work()
        wait_for_all()
        return done
    wait_for_all()
    return work()


def of_first(value: Answer) -> Answer:
    """Give every process what the first one has, plain values."""
    if not _Run.group.is_several:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def all_of(value: Answer) -> list[Answer]:
    """Give what each process has, plain values, in the order of their ranks."""
    if not _Run.group.is_several:
        return [value]
    values: list[Any] = [None] * _Run.group.size
    distributed.all_gather_object(values, value)
    return values


@contextmanager
def in_step() -> Iterator[None]:
    """Say that all processes do the same meanwhile, one call after the other."""
    before, _Run.in_step = _Run.in_step, _Run.group.is_several
    try:
        yield
    finally:
        _Run.in_step = before


def goes_in_step() -> bool:
    """Whether all processes do the same at present."""
    return _Run.in_step

"""Rates measured several times, alone or in turns, and what this machine could reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import torch

Work = Callable[[], float]


@dataclass
class Figure:
    """A rate, or a ratio of rates, measured several times."""

    values: list[float]
    digits: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        middle, low, high = (
            f"{value:,.{self.digits}f}"
            for value in (self.median, min(self.values), max(self.values))
        )
        return f"{middle} ({low} - {high})"


def repeat(times: int, work: Work) -> Figure:
    """Time a piece of work that returns a rate, after one warm-up."""
    work()
    return Figure([work() for _ in range(times)])


def in_turns(times: int, works: Mapping[str, Work]) -> dict[str, list[float]]:
    """Time pieces of work in turns, so that what slows the machine slows them all.

    Returns
    -------
    dict of str to list of float
        Rates; the n-th of all pieces were measured one after the other.
    """
    rates: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(times):
        for name, work in works.items():
            rates[name].append(work())
    return rates


def ratio(one: list[float], other: list[float]) -> Figure:
    """Divide rates measured in turns, each by its neighbour in time."""
    return Figure([a / b for a, b in zip(one, other, strict=True)], digits=2)


def wait(device: torch.device) -> None:
    """Let a device finish what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def product_speed(device: torch.device | None = None) -> float:
    """Give the floating point operations a second of a product of usual shape."""
    device = device or torch.device("cpu")
    left, right = torch.randn(1024, 512, device=device), torch.randn(512, 256, device=device)
    times = []
    for _ in range(30):
        wait(device)
        start = perf_counter()
        for _ in range(10):
            left @ right
        wait(device)
        times.append((perf_counter() - start) / 10)
    return 2 * 1024 * 512 * 256 / statistics.median(times)


def flops_an_event(model: torch.nn.Module) -> float:
    """Forward and backward products that an event needs: each forward one has two backward."""
    settings = model.network.settings
    d = settings.embedding_size
    forward = 2 * (2 * d) * (2 * d)
    parts = (settings.mse_weight > 0) + (settings.nce_weight > 0)
    forward += parts * 2 * (4 * d) * (2 * d)
    if settings.nce_weight:
        forward += 2 * settings.n_negatives * 2 * d
    return 3.0 * forward

"""Independent random streams, so that one part of the market never shifts another's draws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# New parts come last: a part's number is in its draws.
PARTS = ("cars", "users", "sessions", "listings", "alerts", "display", "choice", "bids", "closing",
         "tastes", "returns")  # fmt: skip


class Draws:
    """Random generators by part and day.

    Parameters
    ----------
    seed : int
        Of the market.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, part: str, day: int = 0) -> np.random.Generator:
        """Give the generator of a part on a day; the same one every time."""
        return np.random.default_rng([self.seed, PARTS.index(part), day])


def gumbel(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Draw standard Gumbel noise, float32: the greatest utility plus it is a logit choice."""
    uniform = rng.random(shape, dtype=np.float32)
    tiny = np.finfo(np.float32).tiny
    noise: npt.NDArray[np.float32] = -np.log(-np.log(np.maximum(uniform, tiny)) + tiny)
    return noise


def zipf_choice(rng: np.random.Generator, n: int, size: int) -> npt.NDArray[np.int64]:
    """Draw categories 0..n-1 with weights 1 / (rank + 1), int64 [size]."""
    weights = 1 / np.arange(1, n + 1)
    return rng.choice(n, size=size, p=weights / weights.sum())

"""Whether a mean difference of two systems could be chance: sign flips of whole users.

If two systems are equally good for a user, the user's rows could as well have come under the
other name each. So the difference of all rows of a user changes its sign at random, and the
share of such worlds in which the mean is at least as far from zero is the p-value
(E. J. G. Pitman 1937, and for rankings M. D. Smucker, J. Allan and B. Carterette, CIKM 2007).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recbole_imn.log import Floats

Bits = npt.NDArray[np.uint8]

#: Random worlds beside the one that was seen; where no more than these are possible, all are tried.
PERMUTATIONS = 9_999
# Worlds at a time, and signs in all of them; both bound memory.
CHUNK, MOST_SIGNS = 256, 1 << 22
# What rounding may leave of equal figures, which are at most 1: no difference, and no lead.
TOLERANCE = 1e-12


def sign_flip_p_value(differences: Floats, users: npt.NDArray[np.object_]) -> float:
    """Give the two-sided p-value of the mean over rows, the signs of users flipped.

    The statistic is the mean over rows itself: each user weighs as many rows as they have.
    The worlds that are drawn depend on the users and their differences alone. So neither
    the order of rows nor which of the two systems is named first changes a bit.

    Parameters
    ----------
    differences : float64 [n_rows]
        One system's metric minus the other's.
    users : object [n_rows]
        The user of each row.

    Returns
    -------
    float
        Exact where at most ``PERMUTATIONS`` + 1 worlds are possible; else never below
        1 / (``PERMUTATIONS`` + 1).
    """
    names, sums = sums_by_user(differences, users)
    # Who has no difference has none under either sign.
    moved = np.abs(sums) > TOLERANCE
    names, sums = names[moved], sums[moved]
    if len(sums) == 0:
        return 1.0
    limit = abs(math.fsum(sums)) - TOLERANCE * math.fsum(np.abs(sums))
    if 2 ** min(len(sums), 63) <= PERMUTATIONS + 1:
        return _share(_every_world(len(sums)), sums, limit)
    return _share(_drawn_worlds(names, sums), sums, limit)


def sums_by_user(
    values: Floats, users: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.str_], Floats]:
    """Add up the rows of each user, rounded once, so that their order changes nothing.

    Parameters
    ----------
    values : float64 [n_rows]
    users : object [n_rows]

    Returns
    -------
    names : str [n_users]
        In order.
    sums : float64 [n_users]
    """
    names, group = np.unique(users.astype(str), return_inverse=True)
    parts = np.split(values[np.argsort(group)], np.cumsum(np.bincount(group))[:-1])
    return names, np.array([math.fsum(part) for part in parts])


def _share(worlds: Iterator[Bits], sums: Floats, limit: float) -> float:
    """Give the share of worlds whose sum is at least ``limit`` away from zero."""
    hits = total = 0
    for flipped in worlds:
        # A flip takes away what was there and as much again.
        statistic = math.fsum(sums) - 2 * (flipped.astype(np.float64) @ sums)
        hits += int((np.abs(statistic) >= limit).sum())
        total += len(flipped)
    return hits / total


def _every_world(n_users: int) -> Iterator[Bits]:
    """Give every choice of users to flip, uint8 [2 ** n_users, n_users]."""
    numbers = np.arange(2**n_users)[:, None]
    yield (numbers >> np.arange(n_users) & 1).astype(np.uint8)


def _drawn_worlds(names: npt.NDArray[np.str_], sums: Floats) -> Iterator[Bits]:
    """Give the world that was seen, then random ones, uint8 [at most CHUNK, n_users]."""
    yield np.zeros((1, len(sums)), np.uint8)
    rng = np.random.default_rng(_seed(names, sums))
    chunk = max(1, min(CHUNK, MOST_SIGNS // len(sums)))
    for start in range(0, PERMUTATIONS, chunk):
        n_bits = min(chunk, PERMUTATIONS - start) * len(sums)
        drawn = np.frombuffer(rng.bytes(-(-n_bits // 8)), np.uint8)
        yield np.unpackbits(drawn, count=n_bits).reshape(-1, len(sums))


def _seed(names: npt.NDArray[np.str_], sums: Floats) -> int:
    """Make a seed of what is compared, whichever system is the first."""
    content = "\n".join(names).encode() + np.abs(sums).astype("<f8").tobytes()
    return int.from_bytes(hashlib.sha256(content).digest(), "little")

"""Strings as tensors: a checkpoint holds plain values, and millions of short strings are slow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def in_parts(cell: Any, kind: str) -> Any:
    """Give the cell of a sequence as a list, where it is written as in an atomic file.

    Parameters
    ----------
    cell : str, number, sequence or None
    kind : str
        Of its field, such as ``token_seq``.
    """
    if not (kind.endswith("_seq") and isinstance(cell, str)):
        return cell
    return cell.split(" ") if cell else None


def pack(strings: Iterable[str]) -> dict[str, Tensor]:
    """Write strings as one array of bytes, and where each one ends.

    Parameters
    ----------
    strings : iterable of str

    Returns
    -------
    dict
        ``bytes`` (uint8) and ``ends`` (int64 [n]).
    """
    # What is no UTF-8, as half of a pair, comes back as it was.
    encoded = [string.encode("utf-8", "surrogatepass") for string in strings]
    ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
    joined = np.frombuffer(b"".join(encoded), np.uint8).copy()
    return {"bytes": torch.from_numpy(joined), "ends": torch.from_numpy(ends)}


def unpack(packed: Mapping[str, Tensor]) -> list[str]:
    """Read what :func:`pack` wrote.

    Raises
    ------
    ValueError
        If it is nothing of the kind.
    """
    joined, ends = packed["bytes"].numpy().tobytes(), packed["ends"].tolist()
    starts = [0, *ends[:-1]] if ends else []
    if starts != sorted(starts) or (ends[-1] if ends else 0) != len(joined):
        raise ValueError("packed strings do not fit together")
    return [
        joined[start:stop].decode("utf-8", "surrogatepass")
        for start, stop in zip(starts, ends, strict=True)
    ]

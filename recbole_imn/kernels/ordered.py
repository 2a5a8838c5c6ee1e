"""Compiled loops whose sums keep their order, and a cache that sees every source of theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def in_order(function: Function) -> Function:
    """Compile a loop over numpy arrays; products may be fused, but no sum is reordered.

    Then one element's bits are the same in a vectorised loop and in what is left over of it.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
    try:
        loop = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written to.
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    _watch_sources(loop)
    return loop  # type: ignore[no-any-return]


def _watch_sources(loop: Any) -> None:
    """Let a cached loop be compiled anew when any loop that it may call has changed.

    numba itself looks at the file of the loop alone, and would run what it once compiled
    of the others.
    """
    cached = getattr(getattr(loop, "_cache", None), "_cache_file", None)
    if cached is not None:
        cached._source_stamp = (cached._source_stamp, sources_digest())


@cache
def sources_digest() -> str:
    """Give a digest of the sources in this folder."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

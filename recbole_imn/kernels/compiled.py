"""Compiled loops: numba with one set of options, and a cache where one can be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

# Within a row sums may be reordered and products fused; every row runs the same code.
FAST = {"contract", "reassoc", "nsz"}


def compiled(function: Function) -> Function:
    """Compile a loop over numpy arrays; it runs without the interpreter's lock."""
    options: dict[str, Any] = {"nogil": True, "fastmath": FAST, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written to.
        return numba.njit(**options)(function)  # type: ignore[no-any-return]

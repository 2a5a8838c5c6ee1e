"""Compiled loops: numba with few sets of options, and a cache that is never stale or mixed up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

KERNELS = Path(__file__).parent
PACKAGE = KERNELS.parent


def compiled(function: Function) -> Function:
    """Compile a loop over numpy arrays; it runs without the interpreter's lock.

    Within a row sums may be reordered and products fused; every row runs the same code. That
    holds for a loop that adds up and writes nothing: with a write in it, there is a second
    version of the loop, for arrays that lie close together, whose sums have another order.
    """
    # Not 'nnan' or 'ninf': minus infinity is a score like any other.
    return _compiled(function, {"contract", "reassoc", "nsz"})


def in_order(function: Function) -> Function:
    """Compile a loop in which products may be fused, but no sum is reordered.

    Then one element's bits are the same in a vectorised loop and in what is left over of it.
    """
    return _compiled(function, {"contract"})


def exact(function: Function) -> Function:
    """Compile a loop whose every operation rounds as numpy's does."""
    return _compiled(function, ())


def _compiled(function: Function, fastmath: Collection[str]) -> Function:
    options: dict[str, Any] = {
        "nogil": True,
        "fastmath": set(fastmath) or False,
        "error_model": "numpy",
    }
    try:
        loop = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written to.
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    cached = getattr(getattr(loop, "_cache", None), "_cache_file", None)
    if cached is not None:
        # None where compilation is switched off, as under a debugger (NUMBA_DISABLE_JIT).
        folder = Path(function.__code__.co_filename).parent
        loop._cache._cache_file = _CacheFiles(cached, sources_digest(folder))
    return loop  # type: ignore[no-any-return]


@cache
def sources_digest(folder: Path) -> str:
    """Give a digest of the sources of the loops that a loop may call.

    Parameters
    ----------
    folder : Path
        Where the loop's own file is. Loops of the package call those of their own folder and
        of this one; of anybody else's folder, numba's own look at the file has to do.
    """
    folders = {KERNELS, folder} if folder.is_relative_to(PACKAGE) else {KERNELS}
    files = sorted(file for place in folders for file in place.glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class _CacheFiles:
    """The files in which a loop is kept, each named by all that it was compiled from.

    numba itself looks at the file of the loop alone, and would run what it once compiled of
    the others. It also numbers its files by an index, which two processes may change at once:
    then one could be given what the other has compiled for other types or another processor.

    Parameters
    ----------
    files : numba.core.caching.IndexDataCacheFile
        numba's own, of the loop; it writes and reads.
    sources : str
        Digest of the sources of all loops that it may call.
    """

    def __init__(self, files: Any, sources: str) -> None:
        self._files, self._sources = files, sources

    def save(self, key: Any, data: Any) -> None:
        """Keep a loop for types and a processor; a full disk costs the next start, no more."""
        try:
            self._files._save_data(self._name(key), data)
        except OSError:
            return

    def load(self, key: Any) -> Any:
        """Give what was kept, or None."""
        try:
            return self._files._load_data(self._name(key))
        except Exception:  # a file that is damaged can raise anything
            return None

    def flush(self) -> None:
        """Do nothing: what was kept is never stale."""

    def _name(self, key: Any) -> str:
        known = self._files._version, self._files._source_stamp, self._sources, key
        number = int(sha256(repr(known).encode()).hexdigest()[:32], 16)
        return str(self._files._data_name(number))

"""Progress bars of a run: tqdm's, or those of a screen that shows the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

_makers: list[Callable[..., Any]] = [tqdm]


def bar(iterable: Iterable[Any], **options: Any) -> Any:
    """Show how far an iteration has come.

    Parameters
    ----------
    iterable : iterable
    **options
        Of tqdm, such as ``desc``, ``total`` and ``disable``.

    Returns
    -------
    iterable
        Gives the same, and has tqdm's ``set_postfix_str``.
    """
    return _makers[-1](iterable, **options)


@contextmanager
def bars_made_by(make: Callable[..., Any]) -> Iterator[None]:
    """Let somebody else than tqdm make the bars meanwhile, of the same arguments."""
    _makers.append(make)
    try:
        yield
    finally:
        _makers.remove(make)

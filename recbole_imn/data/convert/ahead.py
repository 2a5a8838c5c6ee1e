"""Doing work on several processors while results are taken in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import polars as pl

Given = TypeVar("Given")
Result = TypeVar("Result")
# More pieces at once need more memory and hardly gain time.
LARGEST = 4


def in_order(work: Callable[[Given], Result], pieces: Iterable[Given]) -> Iterator[Result]:
    """Work on a few pieces at once, as many as polars has threads, and give results in order.

    Parameters
    ----------
    work : callable
        What polars and other code outside the interpreter's lock do runs at the same time.
    pieces : iterable
        Taken one by one from the caller's thread, no more than there is room for.
    """
    threads = min(pl.thread_pool_size(), LARGEST)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for piece in pieces:
                waiting.append(pool.submit(work, piece))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

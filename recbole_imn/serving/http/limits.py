"""Limits for clients: how many requests, and how long their bodies are."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

# A bucket that nobody has used for long is full, and need not be kept.
CLIENTS = 10_000


class TokenBuckets:
    """A bucket of tokens for each client: a request takes one, time puts them back.

    Only ever touched on the event loop, so without a lock.

    Parameters
    ----------
    rate : float
        Tokens a second.
    burst : float
        Tokens of a full bucket.
    clock : callable
        Gives seconds.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> int:
        """Take a token.

        Returns
        -------
        int
            0 if there was one, else whole seconds until there is.
        """
        now = self._clock()
        tokens, since = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        taken = tokens >= 1
        self._buckets[client] = (tokens - 1 if taken else tokens, now)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        return 0 if taken else math.ceil((1 - tokens) / self._rate)


def too_long(limit: int) -> str:
    """Say that a body is longer than a limit, in bytes."""
    return f"the body is longer than {limit:,} bytes; send it in parts"

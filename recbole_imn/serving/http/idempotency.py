"""Answers that are given again when a request is sent again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from recbole_imn.errors import ServingError

T = TypeVar("T")


@dataclass(frozen=True)
class _Entry(Generic[T]):
    content: bytes  # digest
    answer: Future[T]


class KeptAnswers(Generic[T]):
    """The latest answers by idempotency key; any thread may ask.

    Parameters
    ----------
    most : int
        Answers that are kept; the oldest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[str, _Entry[T]] = OrderedDict()
        self._lock = Lock()

    def once(self, key: str, content: str, make: Callable[[], T]) -> T:
        """Give the answer to a key, made only if there is none.

        A request that comes while its twin is being answered waits for that answer. What fails
        leaves nothing, so that it can be tried again.

        Parameters
        ----------
        key : str
        content : str
            What was asked; a key stands for one content.
        make : callable
            Makes the answer.

        Raises
        ------
        ServingError
            If the key has come with another content.
        """
        mine = _Entry[T](hashlib.sha256(content.encode()).digest(), Future())
        with self._lock:
            entry = self._entries.setdefault(key, mine)
            self._forget_oldest()
        if entry.content != mine.content:
            raise ServingError(f"the key {key!r} has come before, with another content")
        if entry is mine:
            self._answer(key, mine, make)
        return entry.answer.result()

    def _forget_oldest(self) -> None:
        # One that is being made is among the newest.
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def _answer(self, key: str, entry: _Entry[T], make: Callable[[], T]) -> None:
        try:
            entry.answer.set_result(make())
        except BaseException as error:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            entry.answer.set_exception(error)

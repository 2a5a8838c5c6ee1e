"""The journal as a recommender has it that may be swapped for another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal.base import ALL, PAGE, Journal, Record, check_position


class Retired(ServingError):
    """A write to a recommender whose place another has taken; nothing was written."""


class Handle:
    """A journal that is written to as long as a recommender is the present one.

    Parameters
    ----------
    journal : Journal
    gate : Lock
        One append at a time; who has it can retire the handle.
    appended : function of int
        Is told the offset after each append.
    forgotten : function of (str, str)
        Is told whose raw id is to vanish, and what replaces it.
    """

    def __init__(
        self,
        journal: Journal,
        gate: Lock,
        appended: Callable[[int], None],
        forgotten: Callable[[str, str], None],
    ) -> None:
        self.retired = False
        self._journal, self._gate = journal, gate
        self._appended, self._forgotten = appended, forgotten

    def append(self, records: Sequence[Record]) -> int:
        """Write records, unless another recommender has taken over.

        Raises
        ------
        Retired, ServingError
        """
        with self._gate:
            if self.retired:
                raise Retired(
                    "another recommender has taken this one's place; nothing was written, write "
                    "to the holder's current one"
                )
            offset = self._journal.append(records)
        self._appended(offset)
        return offset

    def read(self, after: int, limit: int = ALL) -> Iterator[tuple[int, Record]]:
        """Read records for somebody who has applied all before them.

        Raises
        ------
        ServingError
            If users were forgotten since.
        """
        check_position(self._journal, after)
        return self._journal.read(after, limit)

    def follow(self, after: int, timeout: float, limit: int = PAGE) -> Sequence[tuple[int, Record]]:
        """Read records, waiting for the first."""
        return self._journal.follow(after, timeout, limit)

    @property
    def identity(self) -> str:
        """Token of the journal."""
        return self._journal.identity

    @property
    def end(self) -> int:
        """Offset of the last record."""
        return self._journal.end

    @property
    def start(self) -> int:
        """Offset before the oldest record."""
        return self._journal.start

    @property
    def rewritten(self) -> int:
        """Offset up to which records were rewritten."""
        return self._journal.rewritten

    def forget(self, user: str, replacement: str) -> None:
        """Have files rewritten, soon."""
        self._forgotten(user, replacement)

    def trim(self, through: int) -> None:
        """Remove the oldest records."""
        self._journal.trim(through)

    def close(self) -> None:
        """Leave the journal open: whoever swaps recommenders closes it."""

"""Where the files of a conversion are made, and sums of what is written."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from recbole_imn.data.publishing import Workspace

__all__ = ["SUFFIXES", "HashedFile", "Workspace"]

# In the order in which they are replaced. Reports of earlier files describe other data.
SUFFIXES = ("report.html", "report.json", "rejected.csv", "item", "inter", "source.json")


class HashedFile:
    """A file to write to that knows the SHA-256 sum and the size of what it got."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Write bytes."""
        self._file.write(data)
        self._sum.update(data)
        self.size += len(data)

    @property
    def about(self) -> dict[str, int | str]:
        """Size in bytes and sum, as a record of what was written."""
        return {"bytes": self.size, "sha256": self._sum.hexdigest()}

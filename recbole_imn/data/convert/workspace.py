"""Files that replace earlier ones only when all of them are complete."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import BinaryIO

# In the order in which they are replaced. Reports of earlier files describe other data.
SUFFIXES = ("report.html", "report.json", "rejected.csv", "item", "inter", "source.json")


class Workspace:
    """A folder beside the data set's files, in which new ones are made.

    Parameters
    ----------
    folder : Path
        The data set's folder; made if it does not exist, and removed again if nothing is
        put into it.
    name : str
        Name of the data set.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.scratch = Path()

    def __enter__(self) -> Workspace:
        """Make the scratch folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scratch = Path(mkdtemp(prefix=f".{self.name}.", suffix=".part", dir=self.folder))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the scratch folder, whatever happened."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def path(self, suffix: str) -> Path:
        """Give the place in the scratch folder of NAME.suffix."""
        return self.scratch / f"{self.name}.{suffix}"

    def target(self, suffix: str) -> Path:
        """Give the final place of NAME.suffix."""
        return self.folder / f"{self.name}.{suffix}"

    def publish(self, *suffixes: str) -> None:
        """Put new files in their places; what was not made this time is removed."""
        for suffix in suffixes:
            if self.path(suffix).exists():
                os.replace(self.path(suffix), self.target(suffix))
            else:
                self.target(suffix).unlink(missing_ok=True)


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

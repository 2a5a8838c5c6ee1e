"""Files of a data set that belong together are published as one unit.

They are made in a scratch folder beside the data set's files. When all are complete and on
disk, the folder is renamed to ``.NAME.ready``: from then on the new set counts, and its files
are moved to their places under the lock of the data set's folder. A process that is killed
before leaves the earlier set and a scratch folder; one that is killed later leaves
``.NAME.ready``, and whoever comes next moves what is left. Nothing else is ever touched.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from recbole_imn.errors import DataError
from recbole_imn.files import (
    make_folder,
    naming,
    read_json,
    replace_text,
    sync_file,
    sync_folder,
)
from recbole_imn.locks import locked
from recbole_imn.scratch import scratch_folder, scratch_path, sweep

# Which files of a set that is ready are new, and which go: the endings of their names.
MANIFEST = "manifest.json"
_ENDING = re.compile(r"[\w-]+(\.[\w-]+)*")


class Workspace:
    """A folder beside the data set's files, in which new ones are made.

    Parameters
    ----------
    folder : Path
        The data set's folder; made if it does not exist, and then removed again if nothing
        is put into it.
    name : str
        Name of the data set.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.scratch = Path()
        self._is_new = False

    def __enter__(self) -> Workspace:
        """Finish what a killed process was publishing, and make the scratch folder."""
        self._is_new = not self.folder.exists()
        make_folder(self.folder)
        settle(self.folder, self.name)
        self._scratch = scratch_folder(self.folder / self.name)
        with naming(self.folder):
            self.scratch = self._scratch.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the scratch folder, whatever happened."""
        self._scratch.__exit__(None, None, None)
        # As a rule there is something in it.
        with suppress(OSError):
            if self._is_new:
                self.folder.rmdir()
        # Other errors without a number are those of networks, when a download is made here.
        if isinstance(error, OSError) and (error.errno is not None or "(os error" in str(error)):
            with naming(self.folder):
                raise error

    def path(self, suffix: str) -> Path:
        """Give the place in the scratch folder of NAME.suffix."""
        return self.scratch / f"{self.name}.{suffix}"

    def target(self, suffix: str) -> Path:
        """Give the final place of NAME.suffix."""
        return self.folder / f"{self.name}.{suffix}"

    def publish(self, *suffixes: str) -> None:
        """Put new files in their places, once; what was not made this time is removed."""
        new = [suffix for suffix in suffixes if self.path(suffix).exists()]
        for suffix in new:
            sync_file(self.path(suffix))
        manifest = {"new": new, "removed": [name for name in suffixes if name not in new]}
        replace_text(self.scratch / MANIFEST, json.dumps(manifest) + "\n")
        with locked(self.folder):
            _move(self.folder, self.name)
            os.rename(self.scratch, _ready(self.folder, self.name))
            try:
                _move(self.folder, self.name)
            except KeyboardInterrupt:
                # The new set counts already, and what is left takes no time.
                _move(self.folder, self.name)


def settle(folder: Path, name: str) -> None:
    """Finish what a killed process was publishing, and remove what it left.

    Raises
    ------
    OSError
        If files are to be moved in a folder that cannot be written.
    """
    if not folder.is_dir():
        return
    if _ready(folder, name).exists():
        with locked(folder):
            _move(folder, name)
    sweep(folder)


@contextmanager
def reading(folder: Path, name: str) -> Iterator[None]:
    """Let nobody publish files of a data set while they are read; they are of one set then.

    Raises
    ------
    OSError
        As :func:`settle`.
    """
    while True:
        settle(folder, name)
        with locked(folder, shared=True):
            if not _ready(folder, name).exists():
                yield
                return


def _ready(folder: Path, name: str) -> Path:
    return folder / f".{name}.ready"


def _move(folder: Path, name: str) -> None:
    """Move the files of a set that is ready, as far as they are not moved yet."""
    ready = _ready(folder, name)
    if not ready.exists():
        return
    # The rename that made it so must not come to the disk after those that follow.
    sync_folder(folder)
    new, removed = _read_manifest(ready / MANIFEST)
    for suffix in removed:
        (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    for suffix in new:
        file = ready / f"{name}.{suffix}"
        if file.exists():
            os.replace(file, folder / file.name)
    sync_folder(folder)
    # Removing a folder takes several steps, of which the first must be the last that counts.
    done = scratch_path(folder / name)
    os.rename(ready, done)
    shutil.rmtree(done, ignore_errors=True)


def _read_manifest(file: Path) -> tuple[list[str], list[str]]:
    """Read which files are new and which go; none of them lies elsewhere."""
    manifest = read_json(file, DataError)
    new, removed = manifest.get("new"), manifest.get("removed")
    if not (isinstance(new, list) and isinstance(removed, list)) or not all(
        isinstance(ending, str) and _ENDING.fullmatch(ending) for ending in (*new, *removed)
    ):
        raise DataError(f"{file} is damaged; move {file.parent} away and make the data again")
    return new, removed

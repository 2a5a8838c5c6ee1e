"""A folder of checkpoints, named by the offset up to which each has applied a journal."""

from __future__ import annotations

import re
from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from typing import TypeVar

from recbole_imn.errors import CheckpointError, ServingError
from recbole_imn.files import make_folder, os_line, sync_folder
from recbole_imn.serving.journal.base import StateMachine

Machine = TypeVar("Machine", bound=StateMachine)
_NAME = re.compile(r"snapshot-\d+\.pth")
KEPT = 2


class Snapshots:
    """The files ``snapshot-OFFSET.pth`` of a folder.

    Parameters
    ----------
    folder : str or Path
        Is made with the first snapshot.
    keep : int
        Newest snapshots that stay; the others are removed.

    Attributes
    ----------
    newest_offset : int
        Offset of the snapshot that was written or loaded last, 0 before any.
    """

    def __init__(self, folder: str | Path, keep: int = KEPT) -> None:
        if keep < 1:
            raise ServingError(f"keep is {keep}; at least the newest snapshot must stay")
        self.folder, self.keep = Path(folder), keep
        self.newest_offset = 0

    def files(self) -> list[Path]:
        """Give the snapshots, newest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_offset)[::-1]

    def save(self, machine: StateMachine) -> Path:
        """Write a snapshot of what a machine has applied, or more, and remove the oldest ones.

        Raises
        ------
        ServingError
            If the folder cannot be written.
        """
        try:
            make_folder(self.folder)
            path = self.folder / f"snapshot-{machine.journal_offset}.pth"
            machine.save(path)
        except OSError as error:
            raise ServingError(os_line(error)) from error
        self.newest_offset = _offset(path)
        self.remove_older(self.keep)
        return path

    def remove_older(self, keep: int) -> None:
        """Remove all but the newest snapshots."""
        old = self.files()[keep:]
        for path in old:
            path.unlink(missing_ok=True)
        if old:
            sync_folder(self.folder)

    def newest(
        self, load: Callable[[Path], Machine], otherwise: str | Path | None = None
    ) -> Machine:
        """Load the newest snapshot that can be used.

        Parameters
        ----------
        load : function of Path
            Raises ServingError or CheckpointError for one that cannot be used; a warning tells
            why, and the next older one is tried.
        otherwise : str or Path, optional
            What is loaded when there is none left.

        Raises
        ------
        ServingError, CheckpointError
            If nothing can be used; why the last one cannot.
        """
        reason: ServingError | CheckpointError | None = None
        for path in self.files():
            try:
                machine = load(path)
            except (ServingError, CheckpointError) as error:
                reason = error
                getLogger().warning(f"{path} is passed over: {error}")
            else:
                self.newest_offset = _offset(path)
                return machine
        if otherwise is not None:
            return load(Path(otherwise))
        raise reason or ServingError(
            f"{self.folder} has no snapshot, and no checkpoint was named; name one"
        )


def _offset(path: Path) -> int:
    return int(path.stem.partition("-")[2])

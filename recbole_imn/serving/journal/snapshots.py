"""A folder of checkpoints, named by the offset up to which each has applied a journal."""

from __future__ import annotations

import re
from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from typing import TypeVar

from recbole_imn.errors import CheckpointError, OtherJournalError, ServingError
from recbole_imn.files import make_folder, os_line, replace_text, sync_folder
from recbole_imn.serving.journal.base import StateMachine

Machine = TypeVar("Machine", bound=StateMachine)
_NAME = re.compile(r"snapshot-\d+\.pth")
KEPT = 2
# Says whose snapshots these are.
MARK = "of_journal.txt"


class Snapshots:
    """The files ``snapshot-OFFSET.pth`` of a folder.

    Parameters
    ----------
    folder : str or Path
        Is made with the first snapshot.
    keep : int
        Newest snapshots that stay; the others are removed.
    identity : str
        Of the journal whose snapshots these are; empty where nobody knows. Snapshots of one
        journal alone are in a folder.

    Attributes
    ----------
    newest_offset : int
        Offset of the snapshot that was written or loaded last, 0 before any.
    """

    def __init__(self, folder: str | Path, keep: int = KEPT, identity: str = "") -> None:
        if keep < 1:
            raise ServingError(f"keep is {keep}; at least the newest snapshot must stay")
        self.folder, self.keep, self.identity = Path(folder), keep, identity
        self.newest_offset = 0
        self._written: Path | None = None

    def files(self) -> list[Path]:
        """Give the snapshots, newest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_offset)[::-1]

    def save(self, machine: StateMachine) -> Path:
        """Write a snapshot of what a machine has applied, or more, and remove the oldest ones.

        Raises
        ------
        ServingError
            If the folder cannot be written, or is another journal's.
        """
        self._check_folder()
        try:
            make_folder(self.folder)
            if self.identity and not self._mark.is_file():
                replace_text(self._mark, f"{self.identity}\n")
            path = self.folder / f"snapshot-{machine.journal_offset}.pth"
            machine.save(path)
        except OSError as error:
            raise ServingError(os_line(error)) from error
        self.newest_offset, self._written = _offset(path), path
        self.remove_older(self.keep)
        return path

    def remove_older(self, keep: int) -> None:
        """Remove all but the newest snapshots; the one that was written last stays."""
        others = [path for path in self.files() if path != self._written]
        old = others[keep - (self._written is not None) :]
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
        OtherJournalError
            If the folder has snapshots of another journal, or of records that were lost.
        ServingError, CheckpointError
            If nothing can be used; why the last one cannot.
        """
        self._check_folder()
        reason: ServingError | CheckpointError | None = None
        for path in self.files():
            try:
                machine = load(path)
            except OtherJournalError as error:
                raise OtherJournalError(
                    f"{path}: {error}; restore the journal, or name another folder for snapshots "
                    "(--snapshots of serve), or move this file away to go on without it"
                ) from error
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

    @property
    def _mark(self) -> Path:
        return self.folder / MARK

    def _check_folder(self) -> None:
        """Refuse a folder that is another journal's."""
        if not self.identity or not self._mark.is_file():
            return
        if self._mark.read_text(encoding="utf-8", errors="replace").strip() != self.identity:
            raise OtherJournalError(
                f"{self.folder} has the snapshots of another journal ({self._mark} says so); name "
                "another folder for snapshots (--snapshots of serve), or move this one away"
            )


def _offset(path: Path) -> int:
    return int(path.stem.partition("-")[2])

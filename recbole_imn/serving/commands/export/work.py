"""What is finished of an export, on disk until all of it is."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from recbole_imn.errors import ServingError
from recbole_imn.files import make_folder, read_json, replace_text, replaced
from recbole_imn.locks import Lock
from recbole_imn.serving.choice import Ranking

STATE = "export.json"


class Work:
    """A folder beside the file that is to be, with parts, and a state that says of what.

    Parameters
    ----------
    output : Path
        The file that is to be; the folder is called so, with ``.unfinished`` behind it.
    plan : dict
        What the rows depend on, in values that JSON has.
    moment : float
        Seconds of the log that lists are for, if nothing was broken off; otherwise they are
        for the moment at which it began.

    Raises
    ------
    ServingError
        If an export with another plan was broken off there.
    """

    def __init__(self, output: Path, plan: dict[str, Any], moment: float) -> None:
        self.folder = folder_of(output)
        # On disk from the first part on: before it, there is nothing to go on with.
        self._state: dict[str, Any] = {"plan": plan, "moment": moment, "parts": []}
        if (self.folder / STATE).is_file():
            self._state = self._read(plan)

    @property
    def moment(self) -> float:
        """Seconds of the log that lists are for."""
        return float(self._state["moment"])

    def __len__(self) -> int:
        """Return the number of parts that are finished."""
        return len(self._state["parts"])

    def add(self, ranking: Ranking) -> None:
        """Keep the next part; it is on disk when this returns."""
        content = io.BytesIO()
        np.savez(content, counts=ranking.counts, items=ranking.items, scores=ranking.scores)
        with replaced(self._file(len(self))) as part:
            part.write_bytes(content.getvalue())
        self._state["parts"].append(hashlib.sha256(content.getvalue()).hexdigest())
        self._write()

    def part(self, number: int) -> Ranking:
        """Read a part.

        Raises
        ------
        ServingError
            If it is not as it was written.
        """
        file = self._file(number)
        content = file.read_bytes() if file.is_file() else b""
        if hashlib.sha256(content).hexdigest() != self._state["parts"][number]:
            raise ServingError(f"{file} is damaged or gone; give the command with --restart")
        with np.load(io.BytesIO(content), allow_pickle=False) as columns:
            return Ranking(columns["counts"], columns["items"], columns["scores"])

    def remove(self) -> None:
        """Remove the folder: the file is complete."""
        shutil.rmtree(self.folder)

    def _file(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.npz"

    def _write(self) -> None:
        replace_text(self.folder / STATE, json.dumps(self._state, indent=1) + "\n")

    def _read(self, plan: dict[str, Any]) -> dict[str, Any]:
        file = self.folder / STATE
        state = read_json(file, ServingError)
        if not {"plan", "moment", "parts"} <= state.keys():
            raise ServingError(f"{file} is damaged; give the command with --restart")
        for name, wanted in plan.items():
            found = state["plan"].get(name)
            if found != wanted:
                raise ServingError(
                    f"in {self.folder} an export with {_named(name, found)} was broken off, and "
                    f"this one has {_named(name, wanted)}; give the same options and checkpoint, "
                    "or --restart to begin anew"
                )
        return state


def _named(name: str, value: Any) -> str:
    """Name a value of a plan; nobody wants to see whole checksums."""
    if name in ("checkpoint", "users"):
        return f"{name} {str(value)[:8]}"
    return f"{name} {json.dumps(value)}"


def folder_of(output: Path) -> Path:
    """Give the folder in which the parts of a file lie."""
    return output.with_name(f"{output.name}.unfinished")


@contextmanager
def working_on(output: Path, restart: bool) -> Iterator[None]:
    """Be the only one who works on a file, and forget what was broken off if that is wished.

    Raises
    ------
    ServingError
        If another process works on it.
    """
    folder = folder_of(output)
    make_folder(folder)
    lock = Lock(folder / "lock")
    if not lock.take():
        raise ServingError(
            f"{output} is being written by an export that runs already; wait for its end, or "
            "choose another --output"
        )
    try:
        if restart:
            (folder / STATE).unlink(missing_ok=True)
        yield
    finally:
        lock.give_back()
        # What holds parts, or is gone already, stays as it is.
        with suppress(OSError):
            folder.rmdir()

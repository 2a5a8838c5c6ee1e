"""Files of plain values that carry a checksum over every byte.

A file is a zip archive as torch writes it, so that ``torch.load(file, weights_only=True)``
reads it anywhere, with the seal as the archive's comment. Nothing of a file is used before
its bytes have been found to be those that were written.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import struct
from pathlib import Path
from typing import IO, Any

import torch

from recbole_imn.errors import CheckpointError, UnsafeCheckpointError
from recbole_imn.files import feed, replaced

CHECKPOINT, STATE = "checkpoint", "state"
# 1 had no checksum.
FORMAT = 2
NO_RUN = "0" * 16
_SEAL = re.compile(
    rb"recbole_imn (?P<kind>[a-z]+) format (?P<format>\d+) run (?P<run>[0-9a-f]{16}) "
    rb"sha256 (?P<sum>[0-9a-f]{64})\Z"
)
_LONGEST_SEAL = 200


def write_sealed(path: Path, values: Any, kind: str, run: str = NO_RUN) -> None:
    """Write tensors and plain values to a file that is the old one or complete.

    Parameters
    ----------
    path : Path
    values : object
        What ``torch.load(weights_only=True)`` reads.
    kind : str
        ``CHECKPOINT`` or ``STATE``.
    run : str
        16 hexadecimal digits that name the run which writes it.
    """
    with replaced(path) as part:
        write_part(part, values, kind, run)


def write_part(part: Path, values: Any, kind: str, run: str = NO_RUN) -> None:
    """Write what :func:`write_sealed` does, to a file that is to take another's place later."""
    head = f"recbole_imn {kind} format {FORMAT} run {run} sha256 ".encode()
    with part.open("w+b") as file:
        torch.save(values, file)
        # An archive ends with the length of its comment, which torch leaves empty.
        file.seek(-2, os.SEEK_END)
        file.write(struct.pack("<H", len(head) + 64) + head)
        file.seek(0)
        digest = _sha256(file)
        file.write(digest.encode())


def read_sealed(path: Path, kind: str) -> dict[str, Any]:
    """Read a file that :func:`write_sealed` wrote, without executing code.

    Raises
    ------
    UnsafeCheckpointError
        If it is of plain RecBole, which needs code.
    CheckpointError
        If it is not there, damaged, or a file of another kind.
    """
    if not path.is_file():
        reason = "is a folder, no checkpoint" if path.is_dir() else "does not exist"
        raise CheckpointError(f"{path} {reason}")
    with path.open("rb") as file:
        _verify(path, file, kind)
        file.seek(0)
        values = _values(path, file)
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} holds a {type(values).__name__}, no {kind}")
    return values


def run_of(path: Path) -> str | None:
    """Give the run that wrote a file, as its seal says, or None; its bytes are not checked."""
    with path.open("rb") as file:
        seal = _seal(file)
    return seal["run"].decode() if seal else None


def sum_of(path: Path) -> str:
    """Give the checksum at the end of a file that has been read, and so verified."""
    with path.open("rb") as file:
        file.seek(-64, os.SEEK_END)
        return file.read().decode("ascii")


def _seal(file: IO[bytes]) -> re.Match[bytes] | None:
    """Find the seal at the end of a file, and go to the file's beginning."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST_SEAL))
    seal = _SEAL.search(file.read())
    file.seek(0)
    return seal


def _verify(path: Path, file: IO[bytes], kind: str) -> None:
    seal = _seal(file)
    if seal is None:
        _explain(path, file)
    else:
        size = file.seek(0, os.SEEK_END) - 64
        file.seek(0)
        if _sha256(file, size) != seal["sum"].decode():
            raise CheckpointError(
                f"{path} is damaged: its bytes do not match their checksum; take another copy, "
                "or train again"
            )
        if int(seal["format"]) != FORMAT:
            raise CheckpointError(
                f"{path} is of format {int(seal['format'])}, and this recbole_imn reads format "
                f"{FORMAT}; read it with the version that wrote it"
            )
        if seal["kind"].decode() != kind:
            raise CheckpointError(f"{path} is a {seal['kind'].decode()} of a run, no {kind}")


def _explain(path: Path, file: IO[bytes]) -> None:
    """Raise what tells best why a file has no seal."""
    if not file.read(1):
        raise CheckpointError(f"{path} is no checkpoint: it is empty")
    file.seek(0)
    _values(path, file)
    raise CheckpointError(
        f"{path} has no checksum, so that nothing tells whether it is as it was written: it is "
        "not of recbole_imn, or of a version before checksums; train the model again"
    )


def _values(path: Path, file: IO[bytes]) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if zip_begins(path):
            raise UnsafeCheckpointError(
                f"{path} can only be read by executing code from it, as checkpoints of plain "
                "RecBole can; train the model again with recbole_imn imported"
            ) from error
        raise CheckpointError(f"{path} is no checkpoint, or a damaged one") from error
    except Exception as error:  # torch's reader raises anything on files of other kinds
        raise CheckpointError(f"{path} is no checkpoint, or a damaged one") from error


def zip_begins(path: Path) -> bool:
    """Whether a file begins as an archive does."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _sha256(file: IO[bytes], size: int | None = None) -> str:
    """Hash a file from where it stands, to its end or so many bytes of it."""
    digest = hashlib.sha256()
    feed(digest, file, size)
    return digest.hexdigest()

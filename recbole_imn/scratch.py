"""Hidden files and folders in which something is made; those of killed processes are removed.

Whoever makes one holds its lock, which ends with the process. What can be locked is therefore
nobody's any more.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from recbole_imn.locks import close, open_for_lock, opened_for_lock, take

_NAME = re.compile(r"\..+\.[0-9a-f]{32}\.part")


def is_scratch(path: Path) -> bool:
    """Whether a path is a scratch file or folder, or lies in one."""
    return any(_NAME.fullmatch(part) for part in path.parts)


def scratch_path(path: Path) -> Path:
    """Give a new hidden name beside a path, which :func:`sweep` recognises."""
    return path.with_name(f".{path.name}.{uuid4().hex}.part")


@contextmanager
def scratch_file(path: Path) -> Iterator[Path]:
    """Make an empty file beside a path, gone at the end unless it was renamed."""
    part, descriptor = _make(path, is_folder=False)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)
        close(descriptor)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside a path, gone at the end unless it was renamed."""
    part, descriptor = _make(path, is_folder=True)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder, as far as that may be removed."""
    for part in folder.glob(".*.part"):
        if _NAME.fullmatch(part.name):
            # It may be gone already, or lie where nothing can be written; it does no harm.
            with suppress(OSError):
                _remove_if_left(part)


def _make(path: Path, is_folder: bool) -> tuple[Path, int | None]:
    while True:
        part = scratch_path(path)
        if is_folder:
            part.mkdir()
        else:
            part.touch(exist_ok=False)
        # Another process may sweep in between; it then gets the lock, or has removed it.
        with suppress(FileNotFoundError):
            descriptor = open_for_lock(part)
            if descriptor is None or (take(descriptor) is not False and part.exists()):
                return part, descriptor
            close(descriptor)


def _remove_if_left(part: Path) -> None:
    with opened_for_lock(part) as descriptor:
        if descriptor is None or take(descriptor) is not True:
            return
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()

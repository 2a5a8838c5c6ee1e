"""Where a command writes: never over what it reads, nor one thing over another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# What a file is called for people, and where it is.
Place = tuple[str, Path]


def require_apart(written: Sequence[Place], read: Sequence[Place], error: type[ValueError]) -> None:
    """Refuse to write over what is read, or one thing over another.

    Parameters
    ----------
    written, read : sequence of (str, Path)
        Files, each with what it is, such as ``--output`` or ``the checkpoint``.
    error : type
        What is raised; the message is one line.

    Raises
    ------
    ValueError
        Of the type given, for the first file that is another's place, by whatever name: through a
        link, or spelt otherwise.
    """
    for number, (name, path) in enumerate(written):
        for other, place in (*read, *written[:number]):
            if is_same(path, place):
                spelt = "" if path == place else f" ({place})"
                verb = "written" if (other, place) in written else "read"
                raise error(
                    f"{name} is {path}, which is {other}{spelt}, to be {verb} as well; choose "
                    "another name"
                )


def is_same(path: Path, other: Path) -> bool:
    """Whether two paths are of one file, which need not be there yet."""
    if path.resolve() == other.resolve():
        return True
    try:
        return path.samefile(other)
    except OSError:
        # One of them is not there.
        return False

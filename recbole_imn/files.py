"""Reading yaml and json, and writing files that are the old one or complete, never half of one."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml

from recbole_imn.errors import one_line
from recbole_imn.scratch import is_scratch, scratch_file, sweep

SEAL = "# sha256 of the lines below: "
_BLOCK = 1 << 20
_AWAY = "move it away, or choose another place"
_RUST = re.compile(r"\(os error (\d+)\)")
_HINTS = {
    errno.ENOSPC: "free some space there, then {again}",
    errno.EDQUOT: "free some space there, then {again}",
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EROFS: "choose another place",
    errno.EISDIR: f"a folder is in the place of a file; {_AWAY}",
    errno.ENOTDIR: f"a file is in the place of a folder; {_AWAY}",
    errno.EEXIST: f"a file is in the place of a folder; {_AWAY}",
}


class KeysOnce:
    """A loader of yaml in which a key stands once; of several, yaml would keep the last."""

    def get_single_node(self) -> yaml.Node | None:
        """Look at keys before others are merged in, which may be set anew."""
        root: yaml.Node | None = super().get_single_node()  # type: ignore[misc]
        nodes, seen = [root], set()
        while nodes:
            node = nodes.pop()
            # By an alias a node may stand in itself.
            if isinstance(node, yaml.CollectionNode) and id(node) not in seen:
                seen.add(id(node))
                if isinstance(node, yaml.MappingNode):
                    _require_keys_once(node)
                    nodes += [part for pair in node.value for part in pair]
                else:
                    nodes += node.value
        return root


def _require_keys_once(mapping: yaml.MappingNode) -> None:
    lines: dict[tuple[str, str], int] = {}
    for key, _ in mapping.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                raise yaml.YAMLError(
                    f"line {line}: {key.value!r} stands in line {lines[name]} already"
                )
            lines[name] = line


# Read by libyaml, where yaml was built with it: a tenth of the time.
class Plain(KeysOnce, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Plain yaml with each key once."""


def read_yaml(path: Path, error: type[ValueError], loader: type[Any] = Plain) -> Any:
    """Read a yaml file.

    Parameters
    ----------
    path : Path
    error : type
        What is raised if it is no yaml, has a key twice, or is sealed and has changed since;
        the message is one line.
    loader : type
        A loader of yaml.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.load(text, loader)
    except (yaml.YAMLError, UnicodeDecodeError) as reason:
        raise error(f"{path} is not valid yaml: {one_line(reason)}") from reason
    if text.startswith(SEAL) and text != sealed(text.partition("\n")[2]):
        raise error(
            f"{path} has changed since it was written; make it again, or remove its first line "
            "if you changed it yourself"
        )
    return values


def sealed(text: str) -> str:
    """Put the sum of a yaml file's text above it, so that damage is noticed on reading."""
    return f"{SEAL}{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def read_json(path: Path, error: type[ValueError]) -> dict[str, Any]:
    """Read a json file that holds an object.

    Parameters
    ----------
    path : Path
    error : type
        What is raised if it holds something else, or is damaged; the message is one line.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as reason:
        raise error(f"{path} is damaged, or no json file: {reason}") from reason
    if not isinstance(values, dict):
        raise error(f"{path} is damaged: it holds {type(values).__name__}, not an object")
    return values


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a file to write that takes the place of another when it is complete and on disk.

    Raises
    ------
    OSError
        If it cannot be written, with the name of the file that was to be.
    """
    make_folder(path.parent)
    sweep(path.parent)
    with naming(path), scratch_file(path) as part:
        yield part
        sync_file(part)
        os.replace(part, path)
        sync_folder(path.parent)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let errors name a file or folder where they name none, or what is made aside for it.

    Raises
    ------
    OSError
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        refused = _refused(error)
        if refused is None:
            raise
        if refused.filename is not None and not is_scratch(Path(str(refused.filename))):
            raise
        if refused.errno is None:
            raise OSError(f"{path}: {one_line(refused)}") from error
        raise OSError(refused.errno, refused.strerror, str(path)) from error


def _refused(error: BaseException | None) -> OSError | None:
    """Find what the system said.

    torch's writer hides it behind an error of its own, and polars gives the number as text.
    """
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    number = _RUST.search(str(error)) if error is not None and error.errno is None else None
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else error


def replace_text(path: Path, text: str) -> None:
    """Write a text file, lines ending in a line feed on every system."""
    with replaced(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they survive a loss of power."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)


def file_sum(path: Path) -> str:
    """Give the SHA-256 sum of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        feed(digest, file)
    return digest.hexdigest()


def feed(digest: hashlib._Hash, file: IO[bytes], size: int | None = None) -> None:
    """Hash a file from where it stands, to its end or so many bytes of it."""
    left = size if size is not None else float("inf")
    while left > 0 and (block := file.read(int(min(_BLOCK, left)))):
        digest.update(block)
        left -= len(block)


def sync_file(path: Path) -> None:
    """Wait until a file's content is on disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until what was renamed in a folder is on disk; Windows sees to that itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_of_disk(error: BaseException) -> bool:
    """Whether an error is a disk's: full, refused, in the way or broken; networks have others."""
    return isinstance(error, OSError) and error.errno in {*_HINTS, errno.EIO}


def os_line(error: OSError, again: str = "give the same command again") -> str:
    """Say in one line which file the system refused, why, and what to do.

    Parameters
    ----------
    error : OSError
    again : str
        How to go on where there is room again.
    """
    if error.errno is None or error.strerror is None:
        return one_line(error)
    # What was written aside was to become the second file.
    name = error.filename2 or error.filename
    hint = _HINTS.get(error.errno)
    line = f"{name}: {error.strerror}" if name else error.strerror
    return f"{line}; {hint.format(again=again)}" if hint else line

"""Reading yaml, and writing files that are the old one or complete, never half of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml


def read_yaml(path: Path, error: type[ValueError]) -> Any:
    """Read a yaml file.

    Parameters
    ----------
    path : Path
    error : type
        What is raised if it is no yaml; the message is one line.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as reason:
        raise error(f"{path} is not valid yaml: {' '.join(str(reason).split())}") from reason


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a file to write that takes the place of another when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for every writer: two runs may write the same file at once.
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Write a text file, lines ending in a line feed on every system."""
    with replaced(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")

"""Actions that all rows of a file are: a file of views beside one of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from recbole_imn.data.convert.mapping import LogMapping, make_mapping
from recbole_imn.errors import DataError


def parse_file_actions(texts: Sequence[str]) -> dict[str, str]:
    """Read ``FILE=ACTION`` of the command line.

    Raises
    ------
    DataError
        If a part is missing, or a file has two actions.
    """
    found: dict[str, str] = {}
    for text in texts:
        file, _, action = (part.strip() for part in text.rpartition("="))
        if not file or not action:
            raise DataError(
                f"--file-action is {text!r}; write FILE=ACTION, such as "
                "--file-action=orders.csv=order"
            )
        if found.setdefault(file, action) != action:
            raise DataError(
                f"--file-action gives {file} two actions, {found[file]!r} and {action!r}; keep one"
            )
    return found


def require_inputs(settings: Mapping[str, Any], paths: Sequence[Path]) -> None:
    """Raise if an action is given for a file that is none of those to be read.

    Raises
    ------
    DataError
    """
    names = [path.name for path in paths]
    for file in make_mapping(settings).file_actions:
        if not any(_is_called(name, file) for name in names):
            raise DataError(
                f"the action of {file!r} is given, but the files are {', '.join(names)}; name one "
                "of them"
            )


def action_of_file(mapping: LogMapping, path: Path) -> dict[str, Any]:
    """Give what a layout needs to know of a file whose rows are all one action.

    Parameters
    ----------
    mapping : LogMapping
        With ``file_actions``.
    path : Path

    Raises
    ------
    DataError
        If the file has none, or one that the codes do not have.
    """
    if mapping.columns.behavior is not None:
        raise DataError(
            f"{path}: the action is told by the column {mapping.columns.behavior!r} and for whole "
            "files; keep one"
        )
    actions = _actions(mapping.file_actions, path.name)
    if not actions:
        others = ", ".join(mapping.file_actions)
        raise DataError(
            f"{path}: no action is given for this file, but for {others}; add "
            f"--file-action={path.name}=ACTION"
        )
    if len(set(actions)) > 1:
        raise DataError(f"{path}: actions {' and '.join(actions)} are given for it; keep one")
    names = mapping.behaviors or {action: action for action in mapping.file_actions.values()}
    action = actions[0]
    if action not in names:
        raise DataError(
            f"{path}: its action is {action!r}, but codes of actions are {', '.join(names)}"
        )
    return {"constant_behavior": names[action], "behaviors": names, "purchases": mapping.purchases}


def _actions(given: Mapping[str, str], name: str) -> list[str]:
    """Give the actions of a file of that name; its own name is surer than a pattern."""
    if name in given:
        return [given[name]]
    return [action for file, action in given.items() if _is_called(name, file)]


def _is_called(name: str, file: str) -> bool:
    """Whether a file has a name, or one of a pattern like ``views-*.csv``."""
    return name == file or fnmatchcase(name, file)

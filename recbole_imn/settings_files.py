"""Settings files, read strictly: RecBole would take any key and ignore it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import recbole
from recbole.utils import argument_list

from recbole_imn import registry
from recbole_imn.files import read_yaml
from recbole_imn.model.settings import SettingsError

RECBOLE_PROPERTIES = Path(recbole.__file__).parent / "properties"
# Keys of a Config that stand in no file of RecBole.
CONFIG_KEYS = ("model", "dataset", "config_files")


class UsageError(ValueError):
    """Options that make no sense; the message is one line for people."""


def named_files(text: str) -> list[Path]:
    """Give the files that the option ``--config_files`` names, with spaces between.

    Raises
    ------
    UsageError
        If one does not exist, or has no byte, as something damaged.
    """
    files = [Path(name) for name in text.split()]
    for file in files:
        if not file.is_file():
            raise UsageError(f"--config_files names {file}, which does not exist")
        if not file.stat().st_size:
            raise UsageError(f"--config_files names {file}, which is empty")
    return files


def read_settings(file: Path) -> dict[str, Any]:
    """Read settings from a yaml file, which may be empty.

    Raises
    ------
    SettingsError
        If it is no yaml file with settings, or has a key that no model and no data set knows.
    """
    values = read_any_settings(file)
    for key in values:
        if key not in all_keys():
            raise SettingsError(f"{file} has the unknown key {key!r}{nearest(key, all_keys())}")
    return values


def read_any_settings(file: Path) -> dict[str, Any]:
    """Read settings from a yaml file, whatever the keys.

    Raises
    ------
    SettingsError
        If it holds something else.
    """
    values = read_yaml(file, SettingsError) or {}
    if not isinstance(values, dict):
        raise SettingsError(f"{file} holds {type(values).__name__}, not settings KEY: VALUE")
    return values


def nearest(key: object, known: Collection[str], prefix: str = "") -> str:
    """Give a hint at the known key that is most like an unknown one, or nothing."""
    near = difflib.get_close_matches(str(key), known, n=1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


@cache
def general_keys() -> frozenset[str]:
    """Give the settings that RecBole knows whatever the model."""
    files = [
        RECBOLE_PROPERTIES / "overall.yaml",
        *(RECBOLE_PROPERTIES / "dataset").glob("*.yaml"),
        *(RECBOLE_PROPERTIES / "quick_start_config").glob("sequential*.yaml"),
    ]
    named = (
        argument_list.general_arguments,
        argument_list.training_arguments,
        argument_list.evaluation_arguments,
        argument_list.dataset_arguments,
    )
    return frozenset({*CONFIG_KEYS, *keys_of(files), *(key for names in named for key in names)})


@cache
def all_keys() -> frozenset[str]:
    """Give the settings of RecBole, of all its models, and of the package."""
    files = [
        *(RECBOLE_PROPERTIES / "model").glob("*.yaml"),
        registry.PROPERTIES / "stream.yaml",
        *(registry.PROPERTIES / "model").glob("*.yaml"),
    ]
    return general_keys() | keys_of(files)


def keys_of(files: Iterable[Path]) -> set[str]:
    """Give the keys of those of some files that exist."""
    return {key for file in files if file.is_file() for key in read_any_settings(file)}

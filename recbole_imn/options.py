"""Options of the training command, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_imn import registry
from recbole_imn.data.atomic import check_name
from recbole_imn.errors import UsageError
from recbole_imn.provenance import fingerprint
from recbole_imn.settings_files import (
    instead,
    known_keys,
    named_files,
    read_settings,
)
from recbole_imn.tuned import TUNING, require_same_data


def check(arguments: Sequence[str]) -> dict[str, str]:
    """Split options into keys and values, refusing what RecBole would silently ignore.

    Raises
    ------
    UsageError
        For an option without ``=``, a key given twice, an unknown key, a missing model or
        data set, a model that learns from no sequences, or a settings file that is not there.
        Values are checked with the Config.
    DataError
        For a data set that is no plain name.
    UnknownModelError
    SettingsError
        For a settings file with an unknown key, the data set's own included.
    """
    options: dict[str, str] = {}
    for argument in arguments:
        key, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not equals:
            raise UsageError(f"{argument!r} is not --key=value; write for example --epochs=5")
        if "=" in value:
            raise UsageError(f"{argument!r} has two '='; RecBole would ignore it")
        if key in options:
            raise UsageError(f"--{key} is given twice: {options[key]!r} and {value!r}")
        options[key] = value
    for key in ("model", "dataset"):
        if not options.get(key):
            raise UsageError(f"--{key}=NAME is missing; --help lists what there is")
    check_name(options["dataset"], "--dataset")
    data_path = Path(options.get("data_path", registry.DATA_PATH))
    own = registry.dataset_config(options["dataset"], data_path)
    for file in [*config_files(options), *([own] if own else [])]:
        _check_tuned(file, read_settings(file), options, data_path)
    # Models that cannot be before unknown keys, which depend on the model.
    _check_model(options["model"])
    known = known_keys(options["model"], options["dataset"])
    for key in options:
        if key not in known:
            hint = instead(key, known, "--") or "; --help lists the keys that matter"
            raise UsageError(f"unknown key --{key}{hint}")
    return options


def _check_tuned(
    file: Path, settings: Mapping[str, Any], options: Mapping[str, str], data_path: Path
) -> None:
    """Refuse settings that were tuned on other data than what is there by now."""
    folder, dataset = data_path / options["dataset"], options["dataset"]
    asked = settings.get(TUNING) and TUNING not in options
    if asked and (folder / f"{dataset}.inter").is_file():
        found = fingerprint(folder, dataset)
        require_same_data(file, settings[TUNING], found, "--tuning=None")


def _check_model(model: str) -> None:
    if not registry.is_sequential(model):
        hint = "; Popularity is the same on the rows of the log" if model == "Pop" else ""
        raise UsageError(
            f"{model} learns from no sequences, and would be tested on other rows{hint}"
        )


def config_files(options: Mapping[str, str]) -> list[Path]:
    """Give the settings files that options name; they exist."""
    return named_files(options.get("config_files", ""))

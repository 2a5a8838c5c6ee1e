"""Settings that a benchmark refuses, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole_imn.data.scaling import is_global_time_split
from recbole_imn.errors import SettingsError
from recbole_imn.run_settings import EvalArgs
from recbole_imn.validation import validated

# Settings that have an option of the command: elsewhere they would contradict what the report says.
OPTIONS = {
    "dataset": "--dataset",
    "data_path": "--data_path",
    "model": "--models",
    "seed": "--seeds",
    "epochs": "--epochs",
    "candidates": "--candidates",
    "protocol": "--protocol",
    "user_share": "--users",
}
# As they are by default, of which a setting may give a part (properties/stream.yaml).
ONE_CUT = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "none", "mode": "full"}


def refuse_options(
    settings: Mapping[str, Any], where: str, options: Mapping[str, str] = OPTIONS
) -> None:
    """Refuse settings that have an option of the command.

    Parameters
    ----------
    settings : mapping
    where : str
        They come from, for the message.
    options : mapping of str to str
        The option of each setting that has one.

    Raises
    ------
    SettingsError
    """
    for key in (key for key in options if key in settings):
        raise SettingsError(f"{where} sets {key} to {settings[key]!r}; use {options[key]} instead")


def require_ranking(settings: Mapping[str, Any], where: str) -> None:
    """Refuse an evaluation that is none of a benchmark: by other cuts, or of samples.

    Parameters
    ----------
    settings : mapping
        Of ``eval_args`` they may have a part, or nothing.
    where : str

    Raises
    ------
    SettingsError
    """
    given = settings.get("eval_args")
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise SettingsError(f"{where}: eval_args is {given!r}; it must be settings KEY: VALUE")
    asked = validated(EvalArgs, {**ONE_CUT, **given}, f"{where}: eval_args", SettingsError)
    if not is_global_time_split({**ONE_CUT, **given}):
        raise SettingsError(
            f"{where}: eval_args is {dict(given)}, but a benchmark cuts the log in time, at one "
            "moment for all users: split: {RS: [0.8, 0.1, 0.1]}, order: TO, group_by: none"
        )
    if asked.mode.both != {"full"}:
        raise SettingsError(
            f"{where}: eval_args mode is {given['mode']!r}, but a benchmark ranks the catalogue, "
            "or with --candidates=on_shelf what is for sale; leave it out"
        )

"""Settings of RecBole's own models on a stream: types and ranges, as their files tell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole_imn import own_models
from recbole_imn.errors import SettingsError
from recbole_imn.literals import plain
from recbole_imn.own_models import RECBOLE_PROPERTIES
from recbole_imn.settings_files import read_any_settings
from recbole_imn.validation import shown

# Numbers that are shares or factors, though a default may be written as a whole number.
FRACTIONS = re.compile(r"prob|ratio|weight|reg|rate|drop|temp|alpha|beta|eta|gamma|lamda|tau|_m")
DROPOUT = re.compile(r"drop")
ACTIVATIONS = ("gelu", "relu", "swish", "tanh", "sigmoid")
KINDS: tuple[tuple[type, str], ...] = (
    (bool, "True or False"),
    (str, "text"),
    (list, "a list"),
    (dict, "a list of NAME: VALUE"),
)


def check_model_settings(model: str, settings: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse settings of a RecBole model that its layers would meet with a bare error.

    Parameters
    ----------
    model : str
        Its defaults stand in RecBole's ``properties/model/MODEL.yaml``.
    settings : mapping
        Of the run.
    known : frozenset of str
        Settings that are checked elsewhere.

    Raises
    ------
    SettingsError
    """
    file: Path = RECBOLE_PROPERTIES / "model" / f"{model}.yaml"
    defaults = read_any_settings(file) if file.is_file() else {}
    for name in defaults.keys() - known:
        # To plain yaml 1e-12 is text.
        expected = _expected(name, plain(defaults[name]), settings[name])
        if expected:
            raise SettingsError(
                f"{name} of {model} is {shown(settings[name])}; it must be {expected}, such as "
                f"{defaults[name]}"
            )


def check_own_settings(model: str, settings: Mapping[str, Any]) -> None:
    """Refuse values of another type than the defaults that came with a caller's own class.

    Raises
    ------
    SettingsError
    """
    for name, default in own_models.own_defaults(model).items():
        value, numbers = settings[name], (int, float)
        is_number = isinstance(value, numbers) and not isinstance(value, bool)
        expected = next((told for kind, told in KINDS if isinstance(default, kind)), "")
        if expected:
            fits = isinstance(value, type(default))
        else:
            expected = "a whole number" if isinstance(default, int) else "a number"
            fits = is_number and not (isinstance(default, int) and isinstance(value, float))
        if default is not None and not fits:
            raise SettingsError(
                f"{name} of {model} is {shown(value)}; it must be {expected}, such as {default}"
            )


def _expected(name: str, default: object, value: object) -> str:
    """Say what a value must be, or nothing where it is that."""
    if default is None:
        return ""
    for kind, told in KINDS:
        if isinstance(default, kind):
            return "" if isinstance(value, kind) else told
    return _expected_number(name, default, value)


def _expected_number(name: str, default: Any, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return "a number"
    if DROPOUT.search(name):
        return "" if 0 <= value <= 1 else "in 0..1"
    if not isinstance(default, int) or FRACTIONS.search(name):
        return ""
    if not isinstance(value, int):
        return "a whole number"
    return "" if value > 0 or default <= 0 else "above 0"


def check_activation(settings: Mapping[str, Any]) -> None:
    """Refuse an activation that RecBole's transformers do not know (model/layers.py:502).

    Raises
    ------
    SettingsError
    """
    name = settings.get("hidden_act")
    if name is not None and name not in ACTIVATIONS:
        raise SettingsError(f"hidden_act is {shown(name)}; it must be one of {ACTIVATIONS}")

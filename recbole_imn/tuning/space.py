"""Search spaces: what a model's settings may be, read from ``properties/search/MODEL.yaml``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_imn.errors import SettingsError
from recbole_imn.files import read_yaml
from recbole_imn.own_models import lineage
from recbole_imn.registry import PROPERTIES, is_ours

if TYPE_CHECKING:
    from optuna.trial import Trial

SEARCH = PROPERTIES / "search"
GENERAL = "general"
Value = bool | int | float | str | list[str] | None


@dataclass(frozen=True)
class Choices:
    """A setting that takes one of some values.

    Attributes
    ----------
    values : tuple
        Plain values, or lists of names.
    """

    values: tuple[Value, ...]

    def suggest(self, trial: Trial, name: str) -> Value:
        """Ask a trial for a value."""
        return self.decode(trial.suggest_categorical(name, [self.encode(v) for v in self.values]))

    def has(self, value: object) -> bool:
        """Whether it is one of the values."""
        return any(type(one) is type(value) and one == value for one in self.values)

    @staticmethod
    def encode(value: Value) -> Any:
        """Give a value as trials keep it: lists as text."""
        return json.dumps(value) if isinstance(value, list) else value

    def decode(self, kept: Any) -> Value:
        """Give the value that a trial has kept."""
        return next((v for v in self.values if self.encode(v) == kept), kept)


@dataclass(frozen=True)
class Range:
    """A number between two others; whole if both are.

    Attributes
    ----------
    low, high : int or float
        Both included.
    log : bool
        Whether the logarithm is drawn evenly.
    """

    low: float
    high: float
    log: bool

    def suggest(self, trial: Trial, name: str) -> Value:
        """Ask a trial for a value."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def has(self, value: object) -> bool:
        """Whether it is a number in the range, and whole if both ends are."""
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        kinds = (int,) if whole else (int, float)
        return type(value) in kinds and self.low <= value <= self.high  # type: ignore[operator]

    @staticmethod
    def encode(value: Value) -> Any:
        """Give a value as trials keep it."""
        return value

    def decode(self, kept: Any) -> Value:
        """Give the value that a trial has kept."""
        return kept  # type: ignore[no-any-return]


Space = dict[str, Choices | Range]


def space_file(model: str) -> Path:
    """Find the search space of a model: its own or that of the nearest class above it.

    RecBole's models without one have the general one.

    Raises
    ------
    SettingsError
        If it is a model of the package without a space: it has no settings that matter.
    """
    files = (SEARCH / f"{name}.yaml" for name in lineage(model))
    found = next((file for file in files if file.is_file()), None)
    if is_ours(model) and found is None:
        raise SettingsError(f"{model} learns nothing, so there is nothing to tune")
    return found or SEARCH / f"{GENERAL}.yaml"


def can_be_tuned(model: str) -> bool:
    """Whether there is a search space for a model."""
    try:
        space_file(model)
    except SettingsError:
        return False
    return True


def read_space(file: Path) -> Space:
    """Read a search space.

    Parameters
    ----------
    file : Path
        Each setting is ``{choices: [...]}`` or ``{low: .., high: .., log: true|false}``.

    Raises
    ------
    SettingsError
        With the file, the setting and its value, if it is neither.
    """
    entries = read_yaml(file, SettingsError) or {}
    return {name: _dimension(file, name, entry) for name, entry in entries.items()}


def suggest(space: Space, trial: Trial) -> dict[str, Value]:
    """Ask a trial for a value of every setting."""
    return {name: dimension.suggest(trial, name) for name, dimension in space.items()}


def inside(space: Space, values: Mapping[str, Any]) -> Space:
    """Give the settings whose values, such as the defaults, lie in their search spaces."""
    return {name: one for name, one in space.items() if name in values and one.has(values[name])}


def encoded(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values of settings as trials keep them."""
    return {name: space[name].encode(value) for name, value in values.items()}


def decoded(space: Space, kept: Mapping[str, Any]) -> dict[str, Value]:
    """Give the settings that a trial has kept."""
    return {name: space[name].decode(value) for name, value in kept.items()}


def _dimension(file: Path, name: str, entry: object) -> Choices | Range:
    if isinstance(entry, Mapping):
        if entry.keys() == {"choices"} and _are_choices(entry["choices"]):
            return Choices(tuple(entry["choices"]))
        if entry.keys() in ({"low", "high"}, {"low", "high", "log"}) and _is_range(entry):
            return Range(entry["low"], entry["high"], entry.get("log", False))
    raise SettingsError(
        f"{file.name}: {name} is {entry!r}; it must be {{choices: [...]}} of plain values and "
        "lists of names, or {low: .., high: .., log: true|false} with low below high, and above 0 "
        "for log"
    )


def _are_choices(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(map(_is_choice, values))


def _is_choice(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(name, str) for name in value)
    return type(value) in _PLAIN


def _is_range(entry: Mapping[str, Any]) -> bool:
    low, high, log = entry["low"], entry["high"], entry.get("log", False)
    if not all(type(end) in (int, float) for end in (low, high)) or not isinstance(log, bool):
        return False
    return bool(low < high and (low > 0 or not log))


_PLAIN = (bool, int, float, str)

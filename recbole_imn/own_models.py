"""Model classes by name: those of the package, and those that callers register."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import recbole.data.dataset
import recbole.model.sequential_recommender
import recbole.trainer
from recbole.model.abstract_recommender import SequentialRecommender

from recbole_imn import compat
from recbole_imn.compat.packages import RecBoleLoader
from recbole_imn.errors import RegistrationError, SettingsError
from recbole_imn.files import KeysOnce, read_yaml

Model = TypeVar("Model", bound="type[SequentialRecommender]")
RECBOLE = Path(recbole.__file__).parent
RECBOLE_PROPERTIES = RECBOLE / "properties"
# Where RecBole looks for a model's own trainer and data set class, and the ends of their names.
ROOMS = ((recbole.trainer, "Trainer"), (recbole.data.dataset, "Dataset"))


class _Properties(KeysOnce, RecBoleLoader):
    """Reads numbers as RecBole reads those of its property files."""


# The package's own classes, and the callers'.
_classes: dict[str, type] = {}
# What callers gave with a class; its subclasses inherit it.
_defaults: dict[str, dict[str, Any]] = {}
# Classes whose subclasses are played from the stream: windows of events in training.
_played: list[type] = []


def register_model(model: Model, properties: str | Path | Mapping[str, Any] | None = None) -> Model:
    """Make a class of your own a model like ours, under its own name.

    RecBole's quick start, the training command, checkpoints, tuning and the benchmark find it.
    A subclass of a model of this package is trained like it, with its settings; a subclass of
    a sequential model of RecBole gets that model's settings, and rows of the stream.

    Parameters
    ----------
    model : type
        A subclass of RecBole's SequentialRecommender.
    properties : path or dict, optional
        Defaults of its settings, over those of the class that it is derived from: a yaml file,
        or the settings themselves.

    Returns
    -------
    type
        The class itself, so that ``@register_model`` may stand above it.

    Raises
    ------
    RegistrationError
        If it is no sequential model, or its name belongs to another one.
    SettingsError
        If the yaml file cannot be read.
    """
    if not (isinstance(model, type) and issubclass(model, SequentialRecommender)):
        raise RegistrationError(
            f"{model!r} is no class of a sequential model; derive it from IMNNet, IMNNetPlus or "
            "RecBole's SequentialRecommender"
        )
    _refuse_taken(model)
    if properties is not None or model.__name__ not in _defaults:
        _defaults[model.__name__] = _read(properties)
    add(model)
    return model


def register_unknown(model: object) -> None:
    """Register a class that was given as a model without a word, as :func:`register_model`.

    RecBole's own classes are known, and what learns from no sequences is left to RecBole.
    """
    if not (isinstance(model, type) and issubclass(model, SequentialRecommender)):
        return
    if model.__module__.partition(".")[0] != "recbole" and _classes.get(model.__name__) != model:
        register_model(model)


def add(model: type, played: bool = False) -> None:
    """Put a class where RecBole looks for models, with its parents' trainer and data set class.

    Parameters
    ----------
    model : type
    played : bool
        Whether it and its subclasses are played from the stream.
    """
    name = model.__name__
    _classes[name] = model
    compat.extra_model_names.add(name)
    if played:
        _played.append(model)
    # RecBole's get_model imports a module by the model's name, and takes the class from it.
    place = f"{recbole.model.sequential_recommender.__name__}.{name.lower()}"
    module = ModuleType(place, model.__doc__)
    module.__spec__ = ModuleSpec(place, loader=None)
    setattr(module, name, model)
    sys.modules[place] = module
    for rooms, kind in ROOMS:
        # An older class of this name may have had other parents.
        vars(rooms).pop(f"{name}{kind}", None)
        kinds = (f"{parent.__name__}{kind}" for parent in model.__mro__[1:])
        inherited = next((known for known in kinds if hasattr(rooms, known)), None)
        if inherited:
            setattr(rooms, f"{name}{kind}", getattr(rooms, inherited))


def _refuse_taken(model: type) -> None:
    """Refuse a name that RecBole would look up as something else, whatever its case."""
    name = model.__name__
    for known, owner in _classes.items():
        # A class that is defined anew, as in a notebook, takes the place of the old one.
        again = (owner.__module__, owner.__qualname__) == (model.__module__, model.__qualname__)
        if known.lower() == name.lower() and owner is not model and not again:
            raise _taken(model, f"{owner.__module__}.{owner.__qualname__}")
    if name in _classes:
        return
    for file in RECBOLE.glob(f"model/*/{name.lower()}.py"):
        raise _taken(model, f"RecBole's {file.relative_to(RECBOLE)}")
    for rooms, kind in ROOMS:
        if hasattr(rooms, f"{name}{kind}"):
            raise _taken(model, f"RecBole's {name}{kind}")


def _taken(model: type, owner: str) -> RegistrationError:
    return RegistrationError(
        f"the model's name {model.__name__!r} belongs to {owner}; give the class another name"
    )


def _read(properties: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    """Read settings as RecBole reads its property files."""
    if properties is None or isinstance(properties, Mapping):
        return dict(properties or {})
    file = Path(properties)
    try:
        values = read_yaml(file, SettingsError, _Properties) or {}
    except OSError as error:
        raise SettingsError(f"properties {file} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{file} holds {type(values).__name__}, not settings KEY: VALUE")
    return values


def lineage(model: str) -> tuple[str, ...]:
    """Give the names of a model and of the classes that it is derived from, nearest first.

    Of a model that nobody registered, the name alone.
    """
    found = _classes.get(model)
    return (model,) if found is None else tuple(parent.__name__ for parent in found.__mro__)


def names() -> tuple[str, ...]:
    """Give the names of all classes, ours first."""
    return tuple(_classes)


def is_played(model: str) -> bool:
    """Whether a model is one of ours or derived from one: played from the stream."""
    return issubclass(_classes.get(model, object), tuple(_played))


def training_loader(model: str) -> Any:
    """Give the class of the loader that a model is trained by, where it names one; else None."""
    return getattr(_classes.get(model), "training_loader", None)


def is_registered(model: str) -> bool:
    """Whether a model is a caller's own class."""
    return model in _defaults


def own_defaults(model: str) -> dict[str, Any]:
    """Give what callers set for a model and for those of their classes that it is derived from."""
    values: dict[str, Any] = {}
    for name in reversed(lineage(model)):
        values.update(_defaults.get(name, {}))
    return values


def registered_keys() -> set[str]:
    """Give the settings that callers' models have."""
    return {key for values in _defaults.values() for key in values}


def recbole_parent(model: str) -> str:
    """Give the nearest class with settings of RecBole's own, the model itself if there is none."""
    files = (RECBOLE_PROPERTIES / "model" / f"{name}.yaml" for name in lineage(model))
    return next((file.stem for file in files if file.is_file()), model)


def import_names(model: str) -> list[str]:
    """Give where another process finds a caller's class: ``MODULE:CLASS``; nothing for others.

    Raises
    ------
    RegistrationError
        If it is defined in the running program, where no other process can import it.
    """
    if not is_registered(model):
        return []
    found = _classes[model]
    if found.__module__ == "__main__" or found.__qualname__ != found.__name__:
        raise RegistrationError(
            f"{model} is defined inside the running program, and runs of a benchmark are programs "
            "of their own; put the class into a module that they can import"
        )
    return [f"{found.__module__}:{found.__name__}"]


def register_imported(name: str) -> None:
    """Import and register a class that another process has registered, ``MODULE:CLASS``."""
    module, _, model = name.partition(":")
    register_unknown(getattr(importlib.import_module(module), model))

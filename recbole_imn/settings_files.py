"""Settings files, read strictly: RecBole would take any key and ignore it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from recbole.utils import argument_list

from recbole_imn import own_models, registry
from recbole_imn.errors import SettingsError, UsageError
from recbole_imn.files import read_yaml
from recbole_imn.own_models import RECBOLE_PROPERTIES
from recbole_imn.validation import nearest, shown

# Keys of a Config that stand in no file of RecBole.
CONFIG_KEYS = (
    "model", "dataset", "config_files", "encoding", "tail_ratio", "eta",
    # Of training by several processes.
    "nproc", "world_size", "offset", "ip", "port", "local_rank", "group_offset",
    # Old names of train_neg_sample_args, which RecBole warns of.
    "neg_sampling", "training_neg_sample_num",
)  # fmt: skip
# How any model learns, whatever it is judged by.
OF_LEARNING = (
    "train_batch_size", "learner", "learning_rate", "train_neg_sample_args", "clip_grad_norm",
    "weight_decay", "MAX_ITEM_LIST_LENGTH",
)  # fmt: skip
# Settings that there were once, and what to write now.
REMOVED = {
    "pointer": "sources: [own_items, successors, predecessors]; or sources: [], calibrate: False",
    "freshness": "terms: [freshness], beside other terms, or leave it out of terms",
    "taste": "terms: [taste], beside other terms, or leave it out of terms",
}


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
            why = "is a folder" if file.is_dir() else "does not exist"
            raise UsageError(f"--config_files names {file}, which {why}")
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
    check_known(values, str(file))
    return values


def check_known(keys: Iterable[str], where: str, known: Collection[str] | None = None) -> None:
    """Refuse unknown keys.

    Parameters
    ----------
    keys : iterable of str
    where : str
        The place of the keys, for the message.
    known : collection of str, optional
        What any model or data set knows by default.

    Raises
    ------
    SettingsError
    """
    if known is None:
        known = all_keys() | own_models.registered_keys()
    for key in keys:
        if key not in known:
            raise SettingsError(f"{where} has the unknown key {key!r}{instead(key, known)}")


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
    for key, value in values.items():
        _require_plain(value, f"{file}: {key}")
    return values


def _require_plain(value: object, where: str) -> None:
    """Refuse what no result file can hold, such as a date, which yaml makes of 2024-01-01."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _require_plain(part, where)
    elif not isinstance(value, str | int | float | None):
        raise SettingsError(
            f"{where} is {value} ({type(value).__name__}), neither a number nor text; write "
            f"'{value}' in quotes if text is meant"
        )


def read_config_files(files: Sequence[str | Path] | None, loader: Any) -> dict[str, Any]:
    """Read the files of a Config as RecBole does (config/configurator.py:150), later ones win.

    Parameters
    ----------
    files : sequence of str or Path, optional
    loader : type
        RecBole's loader of yaml, which knows 1e-3 as a number.

    Raises
    ------
    SettingsError
        If they are no list, or one does not exist or holds no settings.
    """
    settings: dict[str, Any] = {}
    if isinstance(files, str | Path):
        raise SettingsError(f"config_file_list is {shown(files)}; it must be a list of files")
    for file in map(Path, files or ()):
        if not file.is_file():
            why = "is a folder" if file.is_dir() else "does not exist"
            raise SettingsError(f"config_file_list names {file}, which {why}")
        # Refuses what is no plain yaml, before a loader sees it that may make other objects.
        read_any_settings(file)
        settings.update(yaml.load(file.read_text(encoding="utf-8"), Loader=loader) or {})
    return settings


def instead(key: object, known: Collection[str], prefix: str = "") -> str:
    """Give a hint at what to write in the place of an unknown setting, or nothing."""
    now = REMOVED.get(str(key))
    return f", which is no setting any more; write {now}" if now else nearest(key, known, prefix)


@cache
def general_keys() -> frozenset[str]:
    """Give the settings that RecBole knows whatever the model."""
    files = [
        RECBOLE_PROPERTIES / "overall.yaml",
        # Beside lists of downloads, whose keys are names of data sets.
        *(RECBOLE_PROPERTIES / "dataset" / f"{name}.yaml" for name in ("sample", "ml-100k")),
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


def known_keys(model: str, dataset: str) -> frozenset[str]:
    """Every setting that RecBole, the package, the model or the data set knows."""
    own = [
        RECBOLE_PROPERTIES / "model" / f"{own_models.recbole_parent(model)}.yaml",
        *registry.property_files(model, dataset, {"event_stream": True}),
    ]
    return general_keys() | keys_of(own) | own_models.own_defaults(model).keys()


def own_keys(model: str) -> frozenset[str]:
    """Give the settings that a model has of its own."""
    files = [
        RECBOLE_PROPERTIES / "model" / f"{own_models.recbole_parent(model)}.yaml",
        *registry.model_files(model),
    ]
    return frozenset({*keys_of(files), *own_models.own_defaults(model)})


def model_keys(model: str) -> frozenset[str]:
    """Give the settings that a model has of its own, and those that say how it learns."""
    return own_keys(model) | frozenset(OF_LEARNING)


def keys_of(files: Iterable[Path]) -> set[str]:
    """Give the keys of those of some files that exist."""
    return {key for file in files if file.is_file() for key in read_any_settings(file)}

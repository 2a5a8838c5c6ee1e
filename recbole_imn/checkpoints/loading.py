"""Making a model, and its data, of a checkpoint that may come from anybody."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from recbole_imn.checkpoints.ids import require_same_ids
from recbole_imn.checkpoints.sealed import CHECKPOINT, read_sealed
from recbole_imn.checkpoints.values import decode_parameter, is_plain, on_device, plain_copy
from recbole_imn.data.atomic import check_name
from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.errors import CheckpointError, DataError, named_line, one_line
from recbole_imn.model.calibration import is_later

# RecBole is imported where it is used: the mends that let it be imported need this package.

# Settings of RecBole that name pickles.
PICKLED = ("save_dataset", "save_dataloaders", "dataset_save_path", "dataloaders_save_path")
# Settings of a checkpoint that would reach files, networks or processes of whoever loads it.
NEVER_TAKEN = frozenset(
    {
        *PICKLED,
        "log_wandb",
        "resume",
        "checkpoint_dir",
        "config_files",
        "gpu_id",
        "nproc",
        "world_size",
        "offset",
        "ip",
        "port",
        "local_rank",
        "single_spec",
    }
)
# Settings that become parts of file names.
NAME_PARTS = ("benchmark_filename", "additional_feat_suffix")
# Settings that may name classes as module.Class.
PARTS = ("resource_branch", "fusion", "terms", "sources")


def load_checkpoint(file: str | Path) -> dict[str, Any]:
    """Read a checkpoint without executing code, every byte of it as it was written.

    Parameters
    ----------
    file : str or Path

    Raises
    ------
    UnsafeCheckpointError
        If the checkpoint needs code, as those of plain RecBole do.
    CheckpointError
        If the file is damaged, of another kind, or is not there.
    """
    checkpoint = read_sealed(Path(file), CHECKPOINT)
    missing = [key for key in ("config", "state_dict") if not isinstance(checkpoint.get(key), dict)]
    if missing:
        raise CheckpointError(f"{file} is no checkpoint of a model: it has no {missing[0]}")
    return checkpoint


def rebuild_config(values: dict[str, Any]) -> Any:
    """Make a Config from the values of a checkpoint, evaluating none of them.

    The options of the running program have no say, and values that a Config would derive
    otherwise today are those of the checkpoint.
    """
    from recbole.config import Config

    from recbole_imn.preparation import no_options

    external = {key: value for key, value in values["external"].items() if key not in NEVER_TAKEN}
    # Left out, it would be derived from the data set's files, and a simulated one made for it.
    external.setdefault("selected_features", values["final"].get("selected_features"))
    if "sources" in values["final"]:
        # Made before there was a calibration, it was trained without one.
        external.setdefault("calibrate", values["final"].get("calibrate", False))
    convert = Config._convert_config_dict
    Config._convert_config_dict = lambda self, values: dict(values)
    try:
        with no_options():
            config = Config(values["model"], values["dataset"], config_dict=external)
    finally:
        Config._convert_config_dict = convert
    settings = config.final_config_dict
    for key, value in values["final"].items():
        # What a Config holds beside plain values, it derives from the model's class.
        now = settings.get(key)
        if key not in NEVER_TAKEN and is_plain(now) and plain_copy(now) != value:
            settings[key] = value
    return config


def load_data_and_model(model_file: str, data_path: str | Path | None = None) -> tuple[Any, ...]:
    """Load a checkpoint and make its model and data, as RecBole's function of this name.

    Only classes that are known already are made: those of the package, sequential models of
    RecBole, and registered ones. Data is read from atomic files, never made or downloaded.

    Parameters
    ----------
    model_file : str
        A checkpoint saved while recbole_imn was imported.
    data_path : str or Path, optional
        Folder of the data sets, where it is not the one that the model was trained from.

    Returns
    -------
    config, model, dataset, train_data, valid_data, test_data

    Raises
    ------
    UnsafeCheckpointError
        If the checkpoint needs code.
    CheckpointError
        If it is damaged, of another kind, or fits no model.
    DataError
        If its data set is not there.
    """
    checkpoint = load_checkpoint(model_file)
    check_settings(model_file, checkpoint["config"])
    try:
        config = rebuild_config(checkpoint["config"])
        config["checkpoint_dir"] = str(Path(model_file).parent)
        if data_path is not None:
            config["data_path"] = str(Path(data_path) / config["dataset"])
        _check_data(model_file, config)
        dataset, loaders, model = _make(config)
    except (CheckpointError, DataError):
        raise
    except Exception as error:  # settings of anybody may be anything
        reason = one_line(error)
        raise CheckpointError(
            f"{model_file} cannot be loaded: its settings and data make no model "
            f"({type(error).__name__}: {reason})"
        ) from error
    restore(model, checkpoint, model_file)
    return (config, model, dataset, *loaders)


def _make(config: Any) -> tuple[Any, Any, Any]:
    from recbole.utils import init_logger

    from recbole_imn.preparation import make_model

    init_logger(config)
    return make_model(config)


def check_settings(file: str, values: dict[str, Any]) -> None:
    """Refuse settings that are no settings, an unknown class, or names that are paths.

    Parameters
    ----------
    file : str
        Named in messages.
    values : dict
        ``config`` of a checkpoint.

    Raises
    ------
    CheckpointError
    """
    kinds = {"model": str, "dataset": str, "external": dict, "final": dict}
    for key, kind in kinds.items():
        if not isinstance(values.get(key), kind):
            raise CheckpointError(f"{file} is no checkpoint of a model: its config has no {key}")
    for key in ("model", "dataset"):
        if values["final"].get(key) != values[key]:
            raise CheckpointError(f"{file} names two {key}s")
    if not is_known(values["model"]):
        raise CheckpointError(
            f"{file} is of the model {values['model']!r}, but only models of recbole_imn, "
            "sequential ones of RecBole, and classes given to recbole_imn.register_model are made "
            "of a checkpoint; make any other model yourself, and take its weights from "
            "recbole_imn.checkpoints.load_checkpoint"
        )
    check_name(values["dataset"], f"the data set in {file}")
    _check_parts(file, values)
    for key in NAME_PARTS:
        for names in (values[part].get(key) or () for part in ("external", "final")):
            for name in names if isinstance(names, list | tuple) else [names]:
                check_name(str(name), f"{key} in {file}")


def _check_parts(file: str, values: dict[str, Any]) -> None:
    """Refuse a class of anybody's that is not imported yet: nothing is, for a checkpoint."""
    for key in PARTS:
        for names in (values[part].get(key) or () for part in ("external", "final")):
            listed = names if isinstance(names, list | tuple) else str(names).strip("[]").split(",")
            for name in map(str, listed):
                module = name.strip().rpartition(".")[0]
                if module and module not in sys.modules:
                    raise CheckpointError(
                        f"{file} has {key}: {name.strip()}, but {module} is not imported; a "
                        "checkpoint imports nothing, so import it before the checkpoint is loaded"
                    )


def is_known(model: str) -> bool:
    """Whether a model is ours, registered, or a sequential one of RecBole."""
    from importlib.util import find_spec

    from recbole_imn.compat.names import extra_model_names, model_names

    if model in extra_model_names:
        return True
    place = f"recbole.model.sequential_recommender.{model.lower()}"
    return model in model_names() and find_spec(place) is not None


def _check_data(file: str, config: Any) -> None:
    folder = Path(config["data_path"])
    if not folder.is_dir():
        raise DataError(
            f"{file} learned from {config['dataset']}, which is not in {folder}; put the data set "
            "there first (simulated ones: python -m recbole_imn simulate)"
        )


def restore(model: Any, checkpoint: dict[str, Any], file: str | Path) -> None:
    """Give a model the weights of a checkpoint, and what it keeps beside them.

    Parameters
    ----------
    model : recbole.model.abstract_recommender.AbstractRecommender
    checkpoint : dict
        From :func:`load_checkpoint`.
    file : str or Path
        Named in messages.

    Raises
    ------
    CheckpointError
        If they are of another model, or of other data.
    """
    weights = checkpoint["state_dict"]
    wrong = misfit(model.state_dict(), weights)
    if wrong:
        raise CheckpointError(
            f"{file} does not fit {type(model).__name__} with these settings and data: {wrong}"
        )
    require_same_ids(model, checkpoint, file)
    model.load_state_dict(weights)
    other = checkpoint.get("other_parameter")
    if not isinstance(other, dict | None):
        raise CheckpointError(f"{file} has a {type(other).__name__} beside its weights, no names")
    known = getattr(model, "other_parameter_name", ())
    strange = [name for name in other or () if name not in known]
    if strange:
        raise CheckpointError(f"{file} sets {strange[0]!r}, which {type(model).__name__} has not")
    _check_columns(model, other or {}, file)
    device = next(iter(model.state_dict().values()), torch.empty(0)).device
    try:
        model.load_other_parameter(on_device(other, device))
    except Exception as error:  # a file of anybody may hold anything
        reason = named_line(error)
        raise CheckpointError(f"{file} does not fit {type(model).__name__}: {reason}") from error


def _check_columns(model: Any, other: dict[str, Any], file: str | Path) -> None:
    """Refuse weights that learned of other columns of features than this data set makes.

    As many columns may be of other categories, and nothing but their names would tell.
    """
    if "feature_maps" not in other:
        return
    try:
        found, own = (
            {key: FeatureMap.from_values(values).names for key, values in maps.items()}
            for maps in (other["feature_maps"], model.feature_maps)
        )
    except Exception as error:  # a file of anybody may hold anything
        raise CheckpointError(f"{file} has no maps of features: {error!r}") from error
    for key, names in own.items():
        if found.get(key) != names:
            odd = sorted(set(names) ^ set(found.get(key, ())))
            raise CheckpointError(
                f"{file} does not fit this data: its columns of {key} are others, such as {odd[:1]}"
            )


def misfit(own: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    """Say where weights are others than a model's, by name, shape or type; None if nowhere."""
    for name in own.keys() | found.keys():
        if name not in found:
            if is_later(name, found):
                continue
            return f"it has no weight {name}"
        if name not in own:
            return f"there is no weight {name} here"
        here, there = own[name], found[name]
        if not isinstance(there, torch.Tensor) or here.dtype != there.dtype:
            return f"{name} is of another type"
        if here.shape != there.shape:
            return f"{name} is {tuple(there.shape)} in it, and {tuple(here.shape)} here"
    return None


def load_other_parameter(self: Any, parameters: dict[str, Any] | None) -> None:
    """Take what a model keeps beside its weights (abstract_recommender.py:72)."""
    for name, value in (parameters or {}).items():
        setattr(self, name, decode_parameter(value))

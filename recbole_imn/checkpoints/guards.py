"""Nothing is unpickled, and no setting of a model is evaluated, wherever RecBole would."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from recbole_imn.checkpoints.loading import PICKLED, load_checkpoint
from recbole_imn.compat.views import View, replace
from recbole_imn.errors import SettingsError

# Models of RecBole that read a file named in their settings.
PRETRAINED = (
    "recbole.model.sequential_recommender.s3rec",
    "recbole.model.general_recommender.convncf",
    "recbole.model.general_recommender.nais",
    "recbole.model.general_recommender.neumf",
    "recbole.model.general_recommender.ract",
    "recbole.model.context_aware_recommender.kd_dagfm",
)


def install() -> None:
    """Take pickles out of RecBole's data, and evaluation and pickles out of its models."""
    utils = import_module("recbole.data.utils")
    replace(utils.create_dataset, create_dataset)
    replace(utils.save_split_dataloaders, refuse_saving)
    replace(utils.load_split_dataloaders, no_saved_loaders)
    import_module("recbole.data.dataset").Dataset.save = refuse_saving
    for name in PRETRAINED:
        module = import_module(name)
        vars(module)["torch"] = View(module.torch, load=_load_weights)
    tables = import_module("recbole.model.general_recommender.ldiffrec")
    vars(tables)["np"] = View(tables.np, load=_load_array)
    teachers = import_module("recbole.model.context_aware_recommender.kd_dagfm")
    # Takes the place of the built-in function in this module alone.
    vars(teachers)["eval"] = lambda name: _teacher(teachers, name)


def create_dataset(config: Any) -> Any:
    """Read a data set from its atomic files (data/utils.py:29), never from a pickle.

    Parameters
    ----------
    config : recbole.config.Config

    Raises
    ------
    SettingsError
        If a saved data set or loader is asked for.
    """
    from recbole.utils import ModelType

    refuse_pickles(config)
    classes = import_module("recbole.data.dataset")
    kinds = {
        ModelType.SEQUENTIAL: classes.SequentialDataset,
        ModelType.KNOWLEDGE: classes.KnowledgeBasedDataset,
    }
    usual = kinds.get(config["MODEL_TYPE"], classes.Dataset)
    return getattr(classes, f"{config['model']}Dataset", usual)(config)


def refuse_pickles(config: Any) -> None:
    """Refuse the settings by which RecBole keeps data sets and loaders as pickles.

    Raises
    ------
    SettingsError
    """
    for key in PICKLED:
        if config[key]:
            raise SettingsError(
                f"{key} is {config[key]!r}, but saved data sets and loaders are pickles, which run "
                f"code when they are read and can be out of date; leave {key} out: data is read "
                "anew from its atomic files"
            )


def no_saved_loaders(config: Any) -> None:
    """Give no saved loaders, whatever lies about (data/utils.py:103)."""
    refuse_pickles(config)


def refuse_saving(*_: Any, **__: Any) -> NoReturn:
    """Refuse to pickle a data set or loaders.

    Raises
    ------
    SettingsError
    """
    raise SettingsError(
        "data sets and loaders are not saved, since pickles run code when they are read; "
        "read the atomic files anew"
    )


def _load_weights(file: str | Path, **_: Any) -> dict[str, Any]:
    """Read what ``torch.load`` is asked for, as a checkpoint."""
    return load_checkpoint(file)


def _load_array(file: str | Path, **_: Any) -> Any:
    import numpy as np

    try:
        return np.load(file, allow_pickle=False)
    except ValueError as error:
        raise SettingsError(f"{file} is no array of numbers; it is not unpickled") from error


def _teacher(module: ModuleType, name: str) -> Any:
    """Find the network that KD_DAGFM is to learn from (kd_dagfm.py:44), by its name."""
    found = vars(module).get(name.strip())
    if isinstance(found, type) and issubclass(found, module.nn.Module):
        return found
    raise SettingsError(f"teacher is {name!r}, which is no network of {module.__name__}")

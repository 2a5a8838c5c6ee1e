"""Making our names known to the unmodified RecBole."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import recbole.config.configurator
import recbole.data
import recbole.data.dataset
import recbole.data.utils
import recbole.model.sequential_recommender
import recbole.trainer
from recbole.utils import ModelType

from recbole_imn import compat, literals, tracking

PACKAGE = Path(__file__).parent
PROPERTIES = PACKAGE / "properties"
# As in properties/stream.yaml.
DATA_PATH = Path("atomic_files")


@dataclass(frozen=True)
class Entry:
    """A model of the package.

    Attributes
    ----------
    module : str
        Its module under ``recbole_imn.model``.
    properties : tuple of str
        Its property files under ``properties/model``, later ones win.
    """

    module: str
    properties: tuple[str, ...]


MODELS = {
    "IMNNet": Entry("imnnet", ("IMNNet",)),
    "IMNNetPlus": Entry("plus", ("IMNNet", "IMNNetPlus")),
    "IMN_MSE": Entry("presets", ("IMNNet", "IMN_MSE")),
    "IMN_NCE": Entry("presets", ("IMNNet", "IMN_NCE")),
    "IMNNetStar": Entry("presets", ("IMNNet", "IMNNetStar")),
    "IMNNetLiteral": Entry("presets", ("IMNNet", "IMNNetLiteral")),
    "JODIE": Entry("jodie", ("IMNNet", "JODIE")),
    "LastItem": Entry("recency", ("LastItem",)),
    "RecentHistory": Entry("recency", ("RecentHistory",)),
    "Popularity": Entry("recency", ("Popularity",)),
}


def register() -> None:
    """Register models, data sets, trainers, loaders and property files; safe to repeat."""
    if getattr(recbole, "_recbole_imn_registered", False):
        return
    for model, entry in MODELS.items():
        _register_model(model, entry.module)
    compat.extra_model_names.update(MODELS)
    _wrap_property_files()
    _import("run_checks").mend()
    _wrap_create_dataset()
    _wrap_get_dataloader()
    tracking.mend()
    literals.mend()
    _import("divergence").mend()
    _import("evaluation.collecting").mend()
    _import("evaluation.case_study").mend()
    recbole._recbole_imn_registered = True


def is_ours(model: str) -> bool:
    """Whether a model belongs to the package."""
    return model in MODELS


def is_sequential(model: str) -> bool:
    """Whether a model learns from sequences, and so can be asked about rows of the stream.

    Raises
    ------
    UnknownModelError
        If there is no such model.
    """
    # The function that knows the hints for unknown names.
    return bool(recbole.config.configurator.get_model(model).type == ModelType.SEQUENTIAL)


def dataset_config(name: str, data_path: Path = DATA_PATH) -> Path | None:
    """Find ``dataset_configs/NAME.yaml``: in the working folder, else where we came from.

    A simulated market under another name is read like ``czb``.

    Parameters
    ----------
    name : str
    data_path : Path
        Folder of the data sets.
    """
    found = _config_named(name)
    if found is None and (data_path / name / f"{name}.market.json").is_file():
        return _config_named("czb")
    return found


def _config_named(name: str) -> Path | None:
    folders = (
        Path("dataset_configs"),
        PACKAGE.parent / "dataset_configs",
        PACKAGE / "dataset_configs",
    )
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    return None


def property_files(model: str, dataset: str, external: dict[str, Any]) -> list[Path]:
    """Property files to read after RecBole's own, in order.

    Our models, our data sets and logs that are to be read as a stream get the stream's
    settings; anything else stays RecBole's.
    """
    own = dataset_config(dataset, Path(external.get("data_path") or DATA_PATH))
    if not (is_ours(model) or own or external.get("event_stream")):
        return []
    files = [PROPERTIES / "stream.yaml"]
    if is_ours(model):
        names = MODELS[model].properties
        files += [PROPERTIES / "model" / f"{name}.yaml" for name in names]
    return [*files, own] if own else files


def _register_model(model: str, module_name: str) -> None:
    """Put a module where RecBole's ``get_model`` looks, and a trainer and a data set class."""
    module = importlib.import_module(f"recbole_imn.model.{module_name}")
    place = f"{recbole.model.sequential_recommender.__name__}.{model.lower()}"
    sys.modules[place] = module
    data, trainer = _import("data.dataset"), _import("trainer")
    setattr(recbole.data.dataset, f"{model}Dataset", data.IMNNetDataset)
    setattr(recbole.trainer, f"{model}Trainer", trainer.IMNNetTrainer)


def _import(name: str) -> ModuleType:
    return importlib.import_module(f"recbole_imn.{name}")


def _wrap_property_files() -> None:
    """Let Config read our property files after its own (configurator.py)."""
    config_class = recbole.config.configurator.Config
    original = config_class._load_internal_config_dict

    @wraps(original)
    def load(self: Any, model: str, model_class: Any, dataset: str) -> None:
        original(self, model, model_class, dataset)
        files = property_files(model, dataset, self.external_config_dict)
        settings = {**self.internal_config_dict, **self.external_config_dict}
        if files and settings.get("loss_type") == "CE":
            # A loss over the whole catalogue allows no sampled negatives.
            self.internal_config_dict["train_neg_sample_args"] = None
        for file in files:
            values = self._update_internal_config_dict(str(file)) or {}
            if file.parent.name == "dataset_configs":
                known = self.parameters["Dataset"]
                known += [key for key in values if key not in known]
        _complete_eval_args(self.external_config_dict, self.internal_config_dict)

    config_class._load_internal_config_dict = load


def _complete_eval_args(external: dict[str, Any], internal: dict[str, Any]) -> None:
    """Let ``eval_args`` with some of its keys keep the others, as they are by default."""
    asked, usual = external.get("eval_args"), internal.get("eval_args")
    if not (isinstance(asked, dict) and isinstance(usual, dict)):
        return
    split = asked.get("split")
    if isinstance(split, dict) and "LS" in split:
        # Leaving one out means one of each user.
        usual = {**usual, "group_by": "user"}
    external["eval_args"] = {**usual, **asked}


def _wrap_create_dataset() -> None:
    """Give RecBole's sequential models the stream where it is asked for (data/utils.py)."""
    original: Callable[[Any], Any] = recbole.data.utils.create_dataset

    @wraps(original)
    def create_dataset(config: Any) -> Any:
        name = f"{config['model']}Dataset"
        sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
        if not (sequential and config["event_stream"]) or hasattr(recbole.data.dataset, name):
            return original(config)
        # RecBole picks a class by the model's name; show it ours for this call only.
        setattr(recbole.data.dataset, name, _import("data.dataset").StreamDataset)
        try:
            return original(config)
        finally:
            delattr(recbole.data.dataset, name)

    for module in _modules_with("create_dataset", original):
        module.create_dataset = create_dataset


def _wrap_get_dataloader() -> None:
    """Train our models on windows, and rank the shelf where asked for (data/utils.py)."""
    original: Callable[[Any, str], Any] = recbole.data.utils.get_dataloader

    @wraps(original)
    def get_dataloader(config: Any, phase: str) -> Any:
        reads_a_stream = is_ours(config["model"]) or config["event_stream"]
        if phase == "train" and is_ours(config["model"]):
            return _import("data.dataloader").WindowDataLoader
        if phase != "train" and config["candidates"] not in (None, "all"):
            shelf = _import("evaluation.shelf")
            shelf.candidates_of(config, phase)
            return shelf.ShelfEvalDataLoader
        if phase != "train" and config["eval_args"]["mode"][phase] != "full" and reads_a_stream:
            return _import("evaluation.sampled").SampledEvalDataLoader
        return original(config, phase)

    for module in _modules_with("get_dataloader", original):
        module.get_dataloader = get_dataloader


def _modules_with(name: str, value: object) -> list[Any]:
    """Find loaded RecBole modules that hold a function under its name."""
    return [
        module
        for key, module in list(sys.modules.items())
        if key.partition(".")[0] == "recbole" and getattr(module, name, None) is value
    ]

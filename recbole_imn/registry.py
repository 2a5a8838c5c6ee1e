"""Making our names known to the unmodified RecBole."""

from __future__ import annotations

import importlib
from collections.abc import Callable
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

from recbole_imn import literals, own_models, tracking
from recbole_imn.checkpoints.guards import refuse_pickles
from recbole_imn.compat.views import replace

PACKAGE = Path(__file__).parent
PROPERTIES = PACKAGE / "properties"
# As in properties/stream.yaml.
DATA_PATH = Path("atomic_files")


# Models of the package, and their modules.
MODELS = {
    "IMNNet": "model.imnnet",
    "IMNNetPlus": "model.plus",
    "IMN_MSE": "model.presets",
    "IMN_NCE": "model.presets",
    "IMNNetStar": "model.presets",
    "IMNNetLiteral": "model.presets",
    "JODIE": "model.jodie",
    "RecentHistory": "model.recency",
    "LastItem": "model.recency",
    "Popularity": "model.recency",
    "SessionKNN": "model.session_knn",
    "ESASRec": "baselines.esasrec",
    "LocalGlobal": "baselines.local_global",
    "LambdaRank": "baselines.lambda_rank",
}
# Methods of others at their best, beyond those that the paper compares: reports mark them, and
# they count among the baselines. A model that is derived from one is one, too.
STRONG_BASELINES = ("SessionKNN", "LocalGlobal", "LambdaRank", "ESASRec")
# Those that the others are derived from, and so stand first, and their trainers.
PARENTS = {
    "IMNNet": "trainer.IMNNetTrainer",
    "RecentHistory": "baselines.at_once.AtOnceTrainer",
    "ESASRec": "baselines.esasrec.ESASRecTrainer",
}


def register() -> None:
    """Register models, data sets, trainers, loaders and property files; safe to repeat."""
    if getattr(recbole, "_recbole_imn_registered", False):
        return
    for name, module in MODELS.items():
        own_models.add(getattr(_import(module), name), played=name in PARENTS)
        if name in PARENTS:
            place, _, trainer = PARENTS[name].rpartition(".")
            dataset = _import("data.dataset").IMNNetDataset
            setattr(recbole.data.dataset, f"{name}Dataset", dataset)
            setattr(recbole.trainer, f"{name}Trainer", getattr(_import(place), trainer))
    _wrap_model_classes()
    _wrap_property_files()
    _import("run_checks").mend()
    _wrap_create_dataset()
    _wrap_create_samplers()
    _wrap_get_dataloader()
    tracking.mend()
    literals.mend()
    _import("resume").install()
    _import("divergence").mend()
    _import("evaluation.collecting").mend()
    _import("evaluation.case_study").mend()
    _import("evaluation.bounded").mend()
    _import("evaluation.drawing").mend()
    _import("evaluation.standard_errors").mend()
    _import("data.masking").mend()
    _import("quick_start").mend()
    # Last, around all others.
    _import("distributed.mends").install()
    recbole._recbole_imn_registered = True


def is_ours(model: str) -> bool:
    """Whether a model belongs to the package, or is derived from one that does."""
    return own_models.is_played(model)


def is_strong_baseline(model: str) -> bool:
    """Whether a model is, or is derived from, one of ``STRONG_BASELINES``."""
    return any(name in STRONG_BASELINES for name in own_models.lineage(model))


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


def config_folders() -> tuple[Path, ...]:
    """Give the folders of data set settings: the caller's, the repository's, the wheel's."""
    return (
        Path("dataset_configs"),
        PACKAGE.parent / "dataset_configs",
        PACKAGE / "dataset_configs",
    )


def _config_named(name: str) -> Path | None:
    for folder in config_folders():
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    return None


def property_files(model: str, dataset: str, external: dict[str, Any]) -> list[Path]:
    """Property files to read after RecBole's own, in order.

    Our models, our data sets and logs that are to be read as a stream get the stream's
    settings; anything else stays RecBole's.
    """
    own = dataset_config(dataset, Path(external.get("data_path") or DATA_PATH))
    known = is_ours(model) or own_models.is_registered(model)
    if not (known or own or external.get("event_stream")):
        return []
    files = [PROPERTIES / "stream.yaml", *model_files(model)]
    return [*files, own] if own else files


def model_files(model: str) -> list[Path]:
    """Our property files of a model and of those that it is derived from, later ones win."""
    if not is_ours(model):
        return []
    names = reversed(own_models.lineage(model))
    files = (PROPERTIES / "model" / f"{name}.yaml" for name in names)
    return [file for file in files if file.is_file()]


def _import(name: str) -> ModuleType:
    return importlib.import_module(f"recbole_imn.{name}")


def _wrap_model_classes() -> None:
    """Let a Config take a class that nobody registered (configurator.py)."""
    config_class = recbole.config.configurator.Config
    original = config_class._get_model_and_dataset

    @wraps(original)
    def get_model_and_dataset(self: Any, model: Any, dataset: Any) -> Any:
        asked = self.external_config_dict.get("model") if model is None else model
        own_models.register_unknown(asked)
        return original(self, model, dataset)

    config_class._get_model_and_dataset = get_model_and_dataset


def _wrap_property_files() -> None:
    """Let Config read our property files after its own (configurator.py)."""
    config_class = recbole.config.configurator.Config
    original = config_class._load_internal_config_dict

    @wraps(original)
    def load(self: Any, model: str, model_class: Any, dataset: str) -> None:
        original(self, own_models.recbole_parent(model), model_class, dataset)
        files = property_files(model, dataset, self.external_config_dict)
        defaults = own_models.own_defaults(model)
        if files:
            _import("data.stream_settings").check_external(self.external_config_dict)
        settings = {**self.internal_config_dict, **defaults, **self.external_config_dict}
        reads_loss = _import("training_checks").reads_loss_type(model, model_class)
        if files and reads_loss and settings.get("loss_type") == "CE":
            # A loss over the whole catalogue allows no sampled negatives.
            self.internal_config_dict["train_neg_sample_args"] = None
        of_dataset = [file for file in files if file.parent.name == "dataset_configs"]
        for file in (file for file in files if file not in of_dataset):
            self._update_internal_config_dict(str(file))
        self.internal_config_dict.update(defaults)
        usual = self.internal_config_dict.get("eval_args")
        for file in of_dataset:
            values = self._update_internal_config_dict(str(file)) or {}
            known = self.parameters["Dataset"]
            known += [key for key in values if key not in known]
        _complete_eval_args(self.internal_config_dict, usual)
        _complete_eval_args(self.external_config_dict, self.internal_config_dict["eval_args"])

    config_class._load_internal_config_dict = load


def _complete_eval_args(settings: dict[str, Any], usual: Any) -> None:
    """Let ``eval_args`` with some of its keys keep the others, as they are without it."""
    asked = settings.get("eval_args")
    if not (isinstance(asked, dict) and isinstance(usual, dict)):
        return
    split = asked.get("split")
    if isinstance(split, dict) and "LS" in split:
        # Leaving one out means one of each user.
        usual = {**usual, "group_by": "user"}
    settings["eval_args"] = {**usual, **asked}


def _wrap_create_dataset() -> None:
    """Give RecBole's sequential models the stream where it is asked for (data/utils.py)."""
    original: Callable[[Any], Any] = recbole.data.utils.create_dataset

    @wraps(original)
    def create_dataset(config: Any) -> Any:
        if not (config["MODEL_TYPE"] == ModelType.SEQUENTIAL and config["event_stream"]):
            return original(config)
        refuse_pickles(config)
        upstream = getattr(recbole.data.dataset, f"{config['model']}Dataset", None)
        return _import("data.own_classes").stream_class(config["model"], upstream)(config)

    replace(original, create_dataset)


def _wrap_create_samplers() -> None:
    """Draw negatives by the popularity of the training part, not of the log (data/utils.py)."""
    original: Callable[..., Any] = recbole.data.utils.create_samplers

    @wraps(original)
    def create_samplers(config: Any, dataset: Any, parts: Any) -> Any:
        return original(config, parts[0] if hasattr(dataset, "log") else dataset, parts)

    replace(original, create_samplers)


def _wrap_get_dataloader() -> None:
    """Train our models on windows, and rank the shelf where asked for (data/utils.py)."""
    original: Callable[[Any, str], Any] = recbole.data.utils.get_dataloader

    @wraps(original)
    def get_dataloader(config: Any, phase: str) -> Any:
        reads_a_stream = is_ours(config["model"]) or config["event_stream"]
        if phase == "train" and is_ours(config["model"]):
            windows = _import("data.dataloader").WindowDataLoader
            return own_models.training_loader(config["model"]) or windows
        if phase != "train" and config["candidates"] not in (None, "all"):
            shelf = _import("evaluation.shelf")
            shelf.candidates_of(config, phase)
            return shelf.ShelfEvalDataLoader
        if phase != "train" and config["eval_args"]["mode"][phase] != "full" and reads_a_stream:
            return _import("evaluation.sampled").SampledEvalDataLoader
        return original(config, phase)

    replace(original, get_dataloader)

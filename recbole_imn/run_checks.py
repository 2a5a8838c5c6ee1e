"""Settings of a run on a stream, checked at the one place that all doors pass.

``Config._get_final_config_dict`` (RecBole's config/configurator.py) joins what the files of
RecBole, of the package and of the user, a program and the command line say. Nothing has been
read of the data by then, and nothing is trained.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from importlib.util import find_spec
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole.config import configurator
from recbole.evaluator.register import metric_types, smaller_metrics
from recbole.utils import EvaluatorType, ModelType

from recbole_imn import own_models, registry
from recbole_imn.data.atomic import check_name
from recbole_imn.data.first_use import provide
from recbole_imn.data.item_fields import FEATURE_AWARE, feature_settings
from recbole_imn.data.scaling import is_global_time_split
from recbole_imn.data.simulated import is_simulated
from recbole_imn.errors import SettingsError
from recbole_imn.evaluation.protocols import put_in_place
from recbole_imn.model.build import find_parts
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model_settings import check_activation, check_model_settings, check_own_settings
from recbole_imn.run_settings import FOLDER_OF_DIGITS, RunSettings
from recbole_imn.settings_files import (
    REMOVED,
    all_keys,
    instead,
    read_config_files,
    read_settings,
)
from recbole_imn.training_checks import (
    FROM_LABELS,
    OLD_NEGATIVES,
    PARTITIONS,
    RANK_ALL_ALONE,
    check_training,
)
from recbole_imn.validation import nearest, shown, validated

# Columns that RecBole finds by these settings.
FIELD_NAMES = (
    "USER_ID_FIELD", "ITEM_ID_FIELD", "TIME_FIELD", "LABEL_FIELD", "ITEM_LIST_LENGTH_FIELD",
)  # fmt: skip
OF_KNOWLEDGE = (
    "alias_of_entity_id", "alias_of_relation_id", "kg_reverse_r", "entity_kg_num_interval",
    "relation_kg_num_interval",
)  # fmt: skip
FILES = ("inter", "user", "item", "kg", "link", "net", "ent")
# Metrics of predicted ratings and probabilities; other models of the stream give neither.
OF_PROBABILITIES = ("logloss", "mae", "rmse")
WITHOUT_CUT = ("auc", "gauc", "fullmrr", *OF_PROBABILITIES)


def mend() -> None:
    """Check names, files and settings while any Config is made; safe to call once."""
    config_class = configurator.Config
    load: Callable[..., None] = config_class._load_internal_config_dict
    join: Callable[[Any], dict[str, Any]] = config_class._get_final_config_dict
    place: Callable[[Any], None] = config_class._set_default_parameters

    @wraps(load)
    def load_checked(self: Any, model: str, model_class: Any, dataset: str) -> None:
        # RecBole makes paths of it.
        check_name(dataset, "dataset")
        given = self.external_config_dict
        if not isinstance(given.get("data_path"), str | Path | None):
            path = shown(given["data_path"])
            raise SettingsError(f"data_path is {path}; {FOLDER_OF_DIGITS.format(path)}")
        own = registry.dataset_config(dataset, Path(given.get("data_path") or registry.DATA_PATH))
        if own:
            read_settings(own)
        load(self, model, model_class, dataset)
        if "selected_features" not in given:
            self.internal_config_dict.update(_features(model, dataset, given))

    @wraps(join)
    def join_checked(self: Any) -> dict[str, Any]:
        settings = join(self)
        if reads_a_stream(self, settings):
            put_in_place(settings, _given(self), self.model)
            check(self, settings)
            # RecBole looks into it.
            settings["numerical_features"] = settings.get("numerical_features") or []
        return settings

    @wraps(place)
    def placed(self: Any) -> None:
        settings = self.final_config_dict
        folder = Path(settings["data_path"]) / self.dataset
        place(self)
        if reads_a_stream(self, settings):
            # RecBole reads ml-100k from its own package, whatever data_path says.
            settings["data_path"] = str(folder)

    config_class._load_internal_config_dict = load_checked
    config_class._set_default_parameters = placed
    config_class._get_final_config_dict = join_checked
    config_class._load_config_files = lambda self, files: read_config_files(files, self.yaml_loader)


def _given(config: Any) -> dict[str, Any]:
    """Give the settings of files, a program and the command line, as they were written there."""
    return {**config.file_config_dict, **config.variable_config_dict, **config.cmd_config_dict}


def _features(model: str, dataset: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Let feature-aware models of RecBole see a data set's item features, as in a benchmark."""
    if model not in FEATURE_AWARE or not registry.property_files(model, dataset, dict(given)):
        return {}
    folder = Path(given.get("data_path") or registry.DATA_PATH) / dataset
    if is_simulated(dataset):
        # Types of its features stand in the file alone.
        provide(folder, dataset, getLogger())
    return feature_settings(model, dataset, folder)


def check(config: Any, settings: dict[str, Any]) -> None:
    """Refuse settings of a run on a stream that mean nothing, or not what they say.

    Parameters
    ----------
    config : recbole.config.Config
        While it is being made: names, class and the settings by where they come from.
    settings : dict
        All of them, joined; the default negatives of RecBole are taken out for our models.

    Raises
    ------
    SettingsError
        With the setting, its value and what it must be, in one line.
    """
    ours = registry.is_ours(config.model)
    _check_keys(config)
    given = {key: value for key, value in settings.items() if key in RunSettings.model_fields}
    run = validated(RunSettings, given, "", SettingsError)
    if _has_network(config):
        find_parts(NetworkSettings.from_mapping(settings))
    _check_evaluation(config.model, run, settings)
    _check_direction(config, run)
    _check_columns(run, settings)
    _check_knowledge(settings)
    check_own_settings(config.model, settings)
    if ours:
        _check_own(config, run, settings)
    else:
        checked = {*RunSettings.model_fields, PARTITIONS}
        check_model_settings(config.model, settings, frozenset(checked))
        check_activation(settings)
        check_training(config, run, settings)
    if run.learner.lower() == "sparse_adam":
        raise SettingsError(
            f"learner is {run.learner!r}, but only id tables of models of this package have sparse "
            "gradients, and they use it already; choose adam for other weights"
        )
    if run.log_wandb and _is_missing("wandb"):
        raise SettingsError("log_wandb is True, but wandb is not installed: pip install wandb")
    if "local_rank" in settings:
        raise SettingsError(
            f"local_rank is {settings['local_rank']!r}, but RecBole's own way to several processes "
            "trains on other figures than one process; leave it out, and start them with "
            "torchrun --nproc_per_node=N"
        )


def _has_network(config: Any) -> bool:
    """Whether a model is IMN-Net or derived from it, with settings of a network."""
    return "IMNNet" in own_models.lineage(config.model)


def _is_missing(package: str) -> bool:
    """Whether a package cannot be imported; one that stands in for it may have no spec."""
    if package in sys.modules:
        return sys.modules[package] is None
    return find_spec(package) is None


def _check_keys(config: Any) -> None:
    """Refuse settings of files and programs that nothing knows.

    The options of a program may be its own; those of ``run`` are checked by themselves, and
    a class that somebody else has written may have settings of its own.
    """
    if _has_network(config):
        for key in REMOVED.keys() & config.external_config_dict.keys():
            raise SettingsError(f"unknown setting {key!r}{instead(key, ())}")
    if config.model_class.__module__.partition(".")[0] not in ("recbole", "recbole_imn"):
        return
    for key in {**config.file_config_dict, **config.variable_config_dict}:
        if key not in all_keys():
            raise SettingsError(f"unknown setting {key!r}{instead(key, all_keys())}")


def _check_columns(run: RunSettings, settings: Mapping[str, Any]) -> None:
    """Refuse columns that RecBole would mix up, or leave out altogether."""
    names = {key: getattr(run, key) for key in FIELD_NAMES if settings.get(key) is not None}
    for key, name in names.items():
        other = next((one for one in names if names[one] == name and one != key), None)
        if other:
            raise SettingsError(f"{key} and {other} are both {name!r}; they are different columns")
    for file in run.load_col or ():
        if file not in {*FILES, *(run.additional_feat_suffix or ())}:
            raise SettingsError(f"load_col names the file {file!r}{nearest(file, FILES)}")
    if run.load_col is not None and run.load_col.get("inter", []) == []:
        raise SettingsError(
            "load_col names no columns of inter, the log; it needs "
            f"inter: [{run.USER_ID_FIELD}, {run.ITEM_ID_FIELD}, {run.TIME_FIELD}]"
        )
    if run.load_col is not None and run.unload_col:
        raise SettingsError(
            f"unload_col is {run.unload_col}, but load_col says what is loaded; leave one out "
            "(load_col: ~ loads all)"
        )


def _check_evaluation(model: str, run: RunSettings, settings: Mapping[str, Any]) -> None:
    if run.first_events and not registry.is_ours(model):
        raise SettingsError(
            f"first_events is True, but {model} cannot score a user without a history, and would "
            "be tested on fewer rows than models of the stream; leave it out"
        )
    if run.split_by == "times" and not is_global_time_split(settings["eval_args"]):
        raise SettingsError(
            "split_by is 'times', but parts begin at times only with one cut for all users; set "
            "eval_args to group_by: none and split: {RS: [...]}, or leave split_by out"
        )
    kinds = {metric_types[metric.lower()] for metric in run.metrics}
    values = [name for name in run.metrics if metric_types[name.lower()] == EvaluatorType.VALUE]
    modes = run.eval_args.mode.both
    if model in RANK_ALL_ALONE and modes != {"full"}:
        raise SettingsError(
            f"eval_args mode is {', '.join(sorted(modes))}, but {model} ranks the whole catalogue "
            "alone; set it to full"
        )
    if len(kinds) > 1:
        raise SettingsError(
            f"metrics are {', '.join(run.metrics)}: {', '.join(values)} cannot be computed "
            "together with metrics of a ranking"
        )
    if values and "full" in modes:
        raise SettingsError(
            f"metrics are {', '.join(run.metrics)}, which compare the true item with sampled ones, "
            "but eval_args mode is full; set it to such as uni100"
        )
    metrics = {name.lower() for name in values}
    if model not in FROM_LABELS and metrics & set(OF_PROBABILITIES):
        raise SettingsError(
            f"metrics are {', '.join(run.metrics)}, but {model} gives scores, not probabilities or "
            "ratings; AUC and metrics of a ranking can be computed"
        )


def _check_direction(config: Any, run: RunSettings) -> None:
    """Refuse a direction of the metric for early stopping that RecBole would overrule."""
    asked = config.external_config_dict.get("valid_metric_bigger")
    is_bigger = run.valid_metric.partition("@")[0].lower() not in smaller_metrics
    if asked is not None and run.valid_metric_bigger != is_bigger:
        better = "larger" if is_bigger else "smaller"
        raise SettingsError(
            f"valid_metric_bigger is {run.valid_metric_bigger}, but of {run.valid_metric} the "
            f"{better} value is better; leave it out"
        )


def _check_knowledge(settings: Mapping[str, Any]) -> None:
    """Refuse settings of a knowledge graph, which no model of sequences is given."""
    for key in OF_KNOWLEDGE:
        if settings.get(key) not in (None, False, [], "None", "[0,inf)"):
            raise SettingsError(
                f"{key} is {shown(settings[key])}, but sequential models are given no knowledge "
                "graph; leave it out"
            )


def check_valid_metric(config: Any) -> None:
    """Refuse a metric for early stopping that is not computed, before anything is trained.

    RecBole meets it with a bare KeyError after the first epoch. Nothing but training needs
    it, and what is wrong with the data by ``topk`` is told first.

    Raises
    ------
    SettingsError
    """
    valid_metric, metrics, topk = config["valid_metric"], config["metrics"], config["topk"]
    name, _, cut = valid_metric.partition("@")
    known = name.lower() in [metric.lower() for metric in metrics]
    cuts = [""] if name.lower() in WITHOUT_CUT else [str(k) for k in topk]
    if not known or cut not in cuts:
        raise SettingsError(
            f"valid_metric is {valid_metric}, which is not computed: metrics are "
            f"{', '.join(metrics)} and topk is {topk}"
        )


def _check_own(config: Any, run: RunSettings, settings: dict[str, Any]) -> None:
    """Refuse what RecBole's loaders and optimisers would do, and ours do otherwise."""
    model = config.model
    draws = (
        "draws its own negatives: set n_negatives" if _has_network(config) else "draws no negatives"
    )
    external = config.external_config_dict
    for key in ("train_neg_sample_args", *OLD_NEGATIVES):
        default = key == "train_neg_sample_args" and _is_default(run)
        if external.get(key) not in (None, "None") and not default:
            raise SettingsError(f"{key} is {external[key]!r}, but {model} {draws}")
    settings["train_neg_sample_args"] = None
    if run.transform is not None:
        raise SettingsError(
            f"transform is {run.transform!r}, but {model} is given windows of the stream, which "
            "nothing transforms; leave it out"
        )


def _is_default(run: RunSettings) -> bool:
    """Whether negatives are asked for as RecBole's own file does."""
    asked = run.train_neg_sample_args
    return asked is None or asked == type(asked)()


def reads_a_stream(config: Any, settings: Mapping[str, Any]) -> bool:
    """Whether a Config being made reads its data as a stream."""
    if registry.is_ours(config.model):
        return True
    sequential = config.model_class.type == ModelType.SEQUENTIAL
    return sequential and bool(settings.get("event_stream"))

"""What the package reads of RecBole's general settings: types, ranges and what fits together.

RecBole takes any value of any type and meets it in the middle of a run, or not at all.
Every Config that reads its data as a stream is checked here, whatever door it came by.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from recbole.evaluator.register import metrics_dict

from recbole_imn.errors import SettingsError
from recbole_imn.intervals import read_intervals
from recbole_imn.validation import Strict, nearest

LEARNERS = ("adam", "adamw", "sgd", "adagrad", "rmsprop", "sparse_adam")
LEVELS = ("debug", "info", "warning", "error", "critical")
MODE = re.compile(r"full|(uni|pop)[1-9][0-9]{0,5}")
TRANSFORMS = ("mask_itemseq", "inverse_itemseq", "crop_itemseq", "reorder_itemseq", "user_defined")
FOLDER_OF_DIGITS = "it must be a folder; one whose name reads as a number is written as ./{}"


def _listed(value: object) -> object:
    """Let one name or number stand for a list of it."""
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def _metric(name: str) -> str:
    if name.lower() not in metrics_dict:
        known = sorted(kind.__name__ for kind in metrics_dict.values())
        hint = nearest(name, known) or f"; there are {', '.join(known)}"
        raise ValueError(f"There is no metric named {name!r}{hint}")
    return name


def _learner(name: str) -> str:
    if name.lower() not in LEARNERS:
        # RecBole would take Adam, with a warning.
        raise ValueError(f"it must be one of {', '.join(LEARNERS)}{nearest(name, LEARNERS)}")
    return name


def _level(name: str | None) -> str | None:
    if name is not None and name.lower() not in LEVELS:
        raise ValueError(f"it must be one of {', '.join(LEVELS)}")
    return name


def _encoding(name: str | None) -> str | None:
    try:
        codecs.lookup(name or "utf-8")
        # Lines and columns of atomic files are looked for byte by byte.
        if "\t\n".encode(name or "utf-8") == b"\t\n":
            return name
    except (LookupError, ValueError):
        pass
    raise ValueError("it must be a text encoding that keeps ASCII, such as utf-8 or latin-1")


def _transform(name: str | None) -> str | None:
    if name is not None and name not in TRANSFORMS:
        raise ValueError(f"it must be one of {', '.join(TRANSFORMS)}")
    return name


def _mode(mode: str) -> str:
    if mode == "labeled":
        raise ValueError(
            "rows of a stream are next events and have no labels; it must be full, or such as "
            "uni100 or pop100 for sampled candidates"
        )
    if not MODE.fullmatch(mode):
        raise ValueError("it must be full, or such as uni100 or pop100 for sampled candidates")
    return mode


def _order(order: str) -> str:
    if order == "RO":
        raise ValueError("rows of a stream are told apart by time; it must be TO")
    return order


def _ratios(parts: list[float]) -> list[float]:
    if len(parts) != 3 or min(parts) <= 0:
        raise ValueError("it must be three numbers above 0: training, validation, test")
    return parts


def _no_negatives(given: object) -> object:
    """Read all the ways in which RecBole says that no negatives are drawn."""
    distribution = given.get("distribution", "") if isinstance(given, Mapping) else given
    return None if distribution in (None, "None", "none") else given


def _intervals(value: object) -> object:
    """Refuse what is no interval; RecBole would leave the filter out."""
    if value is None:
        return None
    # The command line reads [5,10] as a list.
    text = str(value)
    try:
        read_intervals(text)
    except SettingsError as error:
        hint = "it must be an interval such as [5,inf), or several with ; between"
        raise ValueError(hint) from error
    return text


def _all_of_them(value: object) -> object:
    """Let ``*`` stand for all columns of a file, as RecBole does."""
    return None if value == "*" else value


def _tuple_listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _path_text(path: object) -> object:
    if isinstance(path, int | float) and not isinstance(path, bool):
        raise ValueError(FOLDER_OF_DIGITS.format(path))
    return str(path) if isinstance(path, Path) else path


def _both(mode: object) -> object:
    """Let one mode stand for validation and test, as RecBole does."""
    return {"valid": mode, "test": mode} if isinstance(mode, str) else mode


Positive = Annotated[int, Field(gt=0, lt=2**31)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Rate = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], BeforeValidator(_tuple_listed)] | None
OneOrMore = Annotated[list[Text], BeforeValidator(_listed)] | None
Columns = dict[str, Annotated[Names, BeforeValidator(_all_of_them)]] | None
Interval = Annotated[str | None, BeforeValidator(_intervals)]
Mode = Annotated[str, AfterValidator(_mode)]
Folder = Annotated[Text, BeforeValidator(_path_text)]


class Split(Strict):
    """How rows are divided: by shares (``RS``, ``TS``), or leaving the last ones out (``LS``)."""

    RS: Annotated[list[float], AfterValidator(_ratios)] | None = None
    TS: Annotated[list[float], AfterValidator(_ratios)] | None = None
    LS: Literal["valid_and_test", "test_only"] | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Split:
        """Refuse two ways at once."""
        if [self.RS, self.TS, self.LS].count(None) != 2:
            raise ValueError("it must be one of {RS: [0.8, 0.1, 0.1]} and {LS: valid_and_test}")
        return self


class Modes(Strict):
    """What is ranked in each part."""

    valid: Mode | None = None
    test: Mode | None = None

    @property
    def both(self) -> frozenset[str]:
        """The modes of both parts; RecBole lets one that is named stand for the other."""
        either = self.valid or self.test or "full"
        return frozenset({self.valid or either, self.test or either})


class EvalArgs(Strict):
    """RecBole's ``eval_args``."""

    split: Split
    order: Annotated[Literal["TO", "RO"], AfterValidator(_order)] = "TO"
    group_by: Literal["user", "none", "None"] | None = None
    mode: Annotated[Modes, BeforeValidator(_both)] = Modes()


class NegativeArgs(Strict):
    """RecBole's ``train_neg_sample_args``."""

    distribution: Literal["uniform", "popularity"] = "uniform"
    sample_num: Positive = 1
    alpha: float = 1.0
    dynamic: bool = False
    candidate_num: Count = 0


class Clipping(Strict):
    """Arguments of torch's ``clip_grad_norm_``."""

    max_norm: Rate
    norm_type: float = 2.0
    error_if_nonfinite: bool = False


class Environment(Strict):
    """Where a run runs, what it reads and where it writes."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 2020
    reproducibility: bool = True
    use_gpu: bool = True
    worker: Count = 0
    state: Annotated[str | None, AfterValidator(_level)] = None
    data_path: Folder = "dataset/"
    checkpoint_dir: Folder = "saved"
    show_progress: bool = True
    screen: Literal["brief", "log"] = "brief"
    save_dataset: bool = False
    dataset_save_path: Folder | None = None
    save_dataloaders: bool = False
    dataloaders_save_path: Folder | None = None
    log_wandb: bool = False
    wandb_project: str | None = None
    shuffle: bool = True
    encoding: Annotated[str | None, AfterValidator(_encoding)] = None
    event_stream: bool = False


class Training(Strict):
    """How a model learns, beside its own settings."""

    epochs: Positive = 300
    train_batch_size: Positive = 2048
    learner: Annotated[str, AfterValidator(_learner)] = "adam"
    learning_rate: Rate = 0.001
    table_learning_rate: Rate | None = None
    table_learner: Literal["adam", "row_adam"] = "adam"
    share_tables: bool = False
    pointer_learning_rate: Rate | None = None
    average_share: Annotated[float, Field(ge=0, le=100)] = 0.0
    train_neg_sample_args: Annotated[NegativeArgs | None, BeforeValidator(_no_negatives)] = None
    eval_step: Count = 1
    stopping_step: Count = 10
    clip_grad_norm: Clipping | None = None
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    loss_decimal_place: Annotated[int, Field(ge=0, le=30)] | None = 4
    require_pow: bool = False
    enable_amp: bool = False
    enable_scaler: bool = False
    transform: Annotated[str | None, AfterValidator(_transform)] = None
    online_updates: bool = False
    ranking_chunk_size: Positive = 256
    recent_events: Count = 1
    tuning_events: Positive | None = None
    tuning_rows: Positive | None = None
    tuning: dict[str, object] | None = None


class Evaluation(Strict):
    """What is asked of a model, and by what it is measured."""

    eval_args: EvalArgs
    repeatable: bool = True
    protocol: Literal["standard", "tgb"] = "standard"
    split_by: Literal["events", "times"] = "events"
    candidates: Literal["all", "on_shelf"] | None = "all"
    metrics: Annotated[
        list[Annotated[str, AfterValidator(_metric)]],
        BeforeValidator(_listed),
        Field(min_length=1),
    ]
    topk: Annotated[list[Positive], BeforeValidator(_listed), Field(min_length=1)]
    valid_metric: str
    valid_metric_bigger: bool = True
    eval_batch_size: Positive = 4096
    eval_rows: Positive | None = None
    ranking_memory: Positive = 1024
    metric_decimal_place: Annotated[int, Field(ge=0, le=30)] = 4
    tail_ratio: Rate | None = None


class Data(Strict):
    """What is read of a log."""

    field_separator: Text = "\t"
    seq_separator: Text = " "
    USER_ID_FIELD: Text = "user_id"
    ITEM_ID_FIELD: Text = "item_id"
    TIME_FIELD: Text = "timestamp"
    LIST_SUFFIX: Text = "_list"
    ITEM_LIST_LENGTH_FIELD: Text = "item_length"
    LABEL_FIELD: Text = "label"
    NEG_PREFIX: Text = "neg_"
    MAX_ITEM_LIST_LENGTH: Positive = 50
    seq_len: dict[str, Positive] | None = None
    load_col: Columns = None
    unload_col: Columns = None
    unused_col: Columns = None
    item_features: OneOrMore = None
    event_features: OneOrMore = None
    inventory_features: OneOrMore = None
    reduced_features: dict[str, Positive] | None = None
    selected_features: Names = None
    numerical_features: Names = None
    first_events: bool = False
    user_share: Annotated[float, Field(gt=0, le=1)] | None = None
    rm_dup_inter: Literal["first", "last"] | None = None
    filter_inter_by_user_or_item: bool = True
    user_inter_num_interval: Interval = None
    item_inter_num_interval: Interval = None
    val_interval: dict[str, object] | None = None
    normalize_field: OneOrMore = None
    normalize_all: bool | None = None
    benchmark_filename: Names = None
    additional_feat_suffix: OneOrMore = None
    alias_of_user_id: Names = None
    alias_of_item_id: Names = None


class RunSettings(Environment, Training, Evaluation, Data):
    """Settings of any run on a stream, beside those of its model."""

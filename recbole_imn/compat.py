"""What RecBole 1.2.1 needs on today's Python packages, one function a mend.

RecBole was written for numpy 1, pandas 1, an older torch and a working ``ray``. Nothing here
changes what it computes. Mends inside long functions replace one exact piece of their source
and fail loudly if that piece is not there, so that a change of RecBole is noticed.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
import textwrap
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from scipy.sparse import dok_matrix

from recbole_imn import checkpoints

RECBOLE_VERSION = "1.2.1"

# Names of models that RecBole's own property files do not list.
extra_model_names: set[str] = set()


class UnknownModelError(ValueError):
    """A model name that nobody knows; the message is one line with the nearest names."""


@dataclass(frozen=True)
class Mend:
    """One mend of RecBole.

    Attributes
    ----------
    name : str
        Short name.
    reason : str
        What goes wrong without it.
    upstream : str
        File and line in RecBole 1.2.1.
    apply : callable
        Does it; gives False where this stack does not need it.
    """

    name: str
    reason: str
    upstream: str
    apply: Callable[[], bool]


_applied: list[Mend] = []


def applied() -> tuple[Mend, ...]:
    """Give the mends that were applied in this process."""
    return tuple(_applied)


def apply(skip: Collection[str] = ()) -> None:
    """Apply every mend once.

    Parameters
    ----------
    skip : collection of str
        Names of mends to leave out, to see what goes wrong without them.
    """
    if _applied:
        return
    if version("recbole") != RECBOLE_VERSION:
        warnings.warn(
            f"recbole {version('recbole')} is installed; recbole_imn is made for {RECBOLE_VERSION}",
            stacklevel=2,
        )
    for mend in MENDS:
        if mend.name not in skip and mend.apply():
            _applied.append(mend)


# -- packages that RecBole uses ---------------------------------------------------------------


def _numpy_aliases() -> bool:
    """Give numpy the names that numpy 1.24 and 2.0 took away."""
    aliases: dict[str, Any] = {
        "bool": np.bool_,
        "int": np.int_,
        "float": np.float64,
        "complex": np.complex128,
        "object": np.object_,
        "str": np.str_,
        "long": np.int_,
        "unicode": np.str_,
        "float_": np.float64,
        "complex_": np.complex128,
        "unicode_": np.str_,
        "bool8": np.bool_,
    }
    missing = {name: value for name, value in aliases.items() if name not in vars(np)}
    for name, value in missing.items():
        setattr(np, name, value)
    return bool(missing)


def _ray_stub() -> bool:
    """Stand in for ray.tune where ray cannot be imported; RecBole only calls tune.report."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("ray.tune")
    except Exception:  # half-imported packages raise anything
        for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
            del sys.modules[name]
        ray, tune = ModuleType("ray"), ModuleType("ray.tune")
        vars(tune)["report"] = lambda **metrics: None
        vars(ray)["tune"] = tune
        sys.modules.update({"ray": ray, "ray.tune": tune})
        return True
    return False


def _sparse_update() -> bool:
    """Give scipy's dok_matrix the private method that graph models of RecBole call."""
    if hasattr(dok_matrix, "_update"):
        return False

    def update(self: Any, values: dict[tuple[int, int], float]) -> None:
        self._dict.update(values)

    dok_matrix._update = update
    return True


# -- RecBole itself ---------------------------------------------------------------------------


def _rewrite(owner: Any, name: str, *pieces: tuple[str, str], times: int = 1) -> bool:
    """Replace pieces of a function's source, in place.

    Raises
    ------
    RuntimeError
        If a piece does not occur exactly ``times`` times.
    """
    function = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in pieces:
        if source.count(old) != times:
            raise RuntimeError(
                f"{function.__qualname__} has {source.count(old)} times {old!r} instead of "
                f"{times}; this recbole is not {RECBOLE_VERSION} as published"
            )
        source = source.replace(old, new)
    namespace: dict[str, Any] = {}
    exec(compile(source, inspect.getfile(function), "exec"), function.__globals__, namespace)
    setattr(owner, name, namespace[name])
    return True


def _module(name: str) -> Any:
    return importlib.import_module(f"recbole.{name}")


def _dataset_class() -> Any:
    return _module("data.dataset.dataset").Dataset


def _sequence_lengths() -> bool:
    """Measure sequence cells one by one: pandas 3 refuses ``Series.agg(len)``."""
    piece = (".agg(len)", ".map(len)")
    _rewrite(_dataset_class(), "_normalize", piece)
    _rewrite(_dataset_class(), "_discretization", piece, times=2)
    _rewrite(_dataset_class(), "_remap", piece)
    _rewrite(_module("data.dataset.kg_dataset").KnowledgeBasedDataset, "_reset_ent_remapID", piece)
    sequential = _module("data.dataset.sequential_dataset").SequentialDataset
    return _rewrite(sequential, "_benchmark_presets", piece)


def _missing_values() -> bool:
    """Fill missing values: a chained ``fillna(inplace=True)`` does nothing in pandas 3."""
    return _rewrite(
        _dataset_class(),
        "_fill_nan",
        ("feat[field].fillna(value=0, inplace=True)", "feat[field] = feat[field].fillna(0)"),
        (
            "feat[field].fillna(value=feat[field].mean(), inplace=True)",
            "feat[field] = feat[field].fillna(feat[field].mean())",
        ),
    )


def _empty_sequences() -> bool:
    """Read an empty sequence cell as an empty sequence, not as NaN."""
    return _rewrite(
        _dataset_class(),
        "_load_feat",
        ('df[field].fillna(value="", inplace=True)', 'df[field] = df[field].fillna("")'),
    )


def _read_only_columns() -> bool:
    """Copy columns before they become tensors: those of pandas 3 are read-only."""
    piece = ("value = data[k].values", "value = data[k].to_numpy(copy=True)")
    return _rewrite(_dataset_class(), "_dataframe_to_interaction", piece)


def _download_barrier() -> bool:
    """Wait for other processes after a download only if there are any."""
    barrier = "torch.distributed.barrier()"
    piece = (barrier, f"torch.distributed.is_initialized() and {barrier}")
    return _rewrite(_dataset_class(), "_download", piece, times=2)


def _anomaly_detection() -> bool:
    """Switch off what importing the model SINE switches on for every model of the process."""
    import torch

    # Imported now, so that no later import switches it on again.
    _module("model.sequential_recommender.sine")
    torch.autograd.set_detect_anomaly(False)
    return True


def _gradient_scaler() -> bool:
    """Make the gradient scaler by its present name, without a warning an epoch."""
    old, new = "amp.GradScaler(", "torch.amp.GradScaler(self.device.type, "
    return _rewrite(_module("trainer.trainer").Trainer, "_train_epoch", (old, new))


def _shared_folders() -> bool:
    """Let programs that start at the same time make the same folder."""
    utils = _module("utils.utils")
    original = utils.ensure_dir
    piece = ("os.makedirs(dir_path)", "os.makedirs(dir_path, exist_ok=True)")
    _rewrite(utils, "ensure_dir", piece)
    for module in list(sys.modules.values()):
        if getattr(module, "ensure_dir", None) is original:
            vars(module)["ensure_dir"] = utils.ensure_dir
    return True


def _number_features() -> bool:
    """Let feature-aware sequential models embed more than one number of an item."""
    layer = _module("model.layers").ContextSeqEmbAbstractLayer
    return _rewrite(layer, "embed_input_fields", ("float_fields, dim=-1", "float_fields, dim=-2"))


def _unknown_model() -> bool:
    """Name the nearest models for an unknown one, instead of a missing lightgbm."""
    configurator = _module("config.configurator")
    original = configurator.get_model

    @wraps(original)
    def get_model(model_name: str) -> Any:
        try:
            return original(model_name)
        except (ModuleNotFoundError, ValueError, AttributeError) as error:
            known = model_names()
            if model_name in known:
                raise
            near = difflib.get_close_matches(model_name, known, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise UnknownModelError(f"there is no model {model_name!r}{hint}") from error

    configurator.get_model = get_model
    return True


def model_names() -> set[str]:
    """Names of all models known to RecBole and to the package."""
    import recbole

    properties = Path(recbole.__file__).parent / "properties" / "model"
    return {file.stem for file in properties.glob("*.yaml")} | extra_model_names


MENDS = (
    Mend(
        "numpy_aliases",
        "names that numpy no longer has",
        "config/configurator.py:628",
        _numpy_aliases,
    ),
    Mend("ray_stub", "ray 2.6.3 cannot be imported", "quick_start/quick_start.py:20", _ray_stub),
    Mend(
        "sparse_update",
        "scipy has no dok_matrix._update",
        "model/general_recommender/lightgcn.py:111",
        _sparse_update,
    ),
    Mend(
        "sequence_lengths",
        "pandas 3 refuses Series.agg(len)",
        "data/dataset/dataset.py:1217",
        _sequence_lengths,
    ),
    Mend(
        "missing_values",
        "pandas 3 leaves missing values unfilled",
        "data/dataset/dataset.py:648",
        _missing_values,
    ),
    Mend(
        "empty_sequences",
        "empty sequence cells crash",
        "data/dataset/dataset.py:501",
        _empty_sequences,
    ),
    Mend(
        "read_only_columns",
        "tensors share read-only memory",
        "data/dataset/dataset.py:2199",
        _read_only_columns,
    ),
    Mend(
        "download_barrier",
        "the first download crashes",
        "data/dataset/dataset.py:252",
        _download_barrier,
    ),
    Mend(
        "anomaly_detection",
        "SINE makes every model slow",
        "model/sequential_recommender/sine.py:25",
        _anomaly_detection,
    ),
    Mend(
        "gradient_scaler",
        "torch warns of torch.cuda.amp in every epoch",
        "trainer/trainer.py:235",
        _gradient_scaler,
    ),
    Mend(
        "shared_folders",
        "programs that start together crash on a folder",
        "utils/utils.py:51",
        _shared_folders,
    ),
    Mend(
        "number_features",
        "models with two numeric features crash",
        "model/layers.py:1143",
        _number_features,
    ),
    Mend(
        "unknown_model", "an unknown model asks for lightgbm", "utils/utils.py:79", _unknown_model
    ),
    Mend(
        "safe_checkpoints",
        "checkpoints, saved data sets and a model's settings execute code",
        "trainer/trainer.py:323",
        checkpoints.install,
    ),
)

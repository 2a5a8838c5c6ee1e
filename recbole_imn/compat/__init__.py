"""What RecBole 1.2.1 needs on today's Python packages, one function a mend.

RecBole was written for numpy 1, pandas 1, an older torch and a working ``ray``. Nothing here
changes what it computes, and nothing but RecBole's own modules is touched: numpy, pandas,
scipy and torch stay as they are for the rest of the process.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from recbole_imn import checkpoints
from recbole_imn.compat import data_sets, names, packages, training
from recbole_imn.compat.names import extra_model_names, model_names
from recbole_imn.errors import MissingRecBoleError

RECBOLE_VERSION = "1.2.1"
# Without its dependencies: they would ask for a ray that no Python from 3.12 on can have.
INSTALL = f"pip install --no-deps recbole=={RECBOLE_VERSION}"

__all__ = [
    "INSTALL",
    "MENDS",
    "RECBOLE_VERSION",
    "Mend",
    "applied",
    "apply",
    "extra_model_names",
    "model_names",
]


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

    Raises
    ------
    MissingRecBoleError
        If RecBole is not installed.
    """
    if _applied:
        return
    found = _recbole_version()
    if found != RECBOLE_VERSION:
        warnings.warn(
            f"recbole {found} is installed; recbole_imn is made for {RECBOLE_VERSION}",
            stacklevel=2,
        )
    for mend in MENDS:
        if mend.name not in skip and mend.apply():
            _applied.append(mend)


def _recbole_version() -> str:
    try:
        return version("recbole")
    except PackageNotFoundError:
        message = f"recbole is not installed; type: {INSTALL}"
        raise MissingRecBoleError(message, name="recbole") from None


MENDS = (
    # Before any other imports the models.
    Mend(
        "anomaly_detection",
        "SINE makes every model slow",
        "model/sequential_recommender/sine.py:25",
        packages.anomaly_detection,
    ),
    Mend(
        "ray_stub",
        "RecBole imports ray, which it does not need",
        "quick_start/quick_start.py:20",
        packages.ray_stub,
    ),
    Mend(
        "numpy_aliases",
        "names that numpy no longer has",
        "config/configurator.py:628",
        packages.numpy_aliases,
    ),
    Mend(
        "yaml_loader",
        "every Config changes yaml for the whole process",
        "config/configurator.py:107",
        packages.yaml_loader,
    ),
    Mend(
        "sparse_update",
        "scipy has no dok_matrix._update",
        "model/general_recommender/lightgcn.py:111",
        packages.sparse_update,
    ),
    Mend(
        "sequence_lengths",
        "pandas 3 refuses Series.agg(len)",
        "data/dataset/dataset.py:1217",
        data_sets.sequence_lengths,
    ),
    Mend(
        "missing_values",
        "pandas 3 leaves missing values unfilled",
        "data/dataset/dataset.py:648",
        data_sets.missing_values,
    ),
    Mend(
        "empty_sequences",
        "empty sequence cells crash",
        "data/dataset/dataset.py:501",
        data_sets.empty_sequences,
    ),
    Mend(
        "read_only_columns",
        "tensors share read-only memory",
        "data/dataset/dataset.py:2199",
        data_sets.read_only_columns,
    ),
    Mend(
        "download_barrier",
        "the first download crashes",
        "data/dataset/dataset.py:252",
        data_sets.download_barrier,
    ),
    Mend(
        "gradient_scaler",
        "torch warns of torch.cuda.amp in every epoch",
        "trainer/trainer.py:235",
        training.gradient_scaler,
    ),
    Mend(
        "use_gpu",
        "use_gpu: False takes the GPU all the same",
        "config/configurator.py:490",
        training.use_gpu,
    ),
    Mend(
        "shared_folders",
        "programs that start together crash on a folder",
        "utils/utils.py:51",
        training.shared_folders,
    ),
    Mend(
        "number_features",
        "models with two numeric features crash",
        "model/layers.py:1143",
        training.number_features,
    ),
    Mend(
        "colour_streams",
        "some 200 runs of one process end in a RecursionError",
        "utils/logger.py:74",
        training.colour_streams,
    ),
    Mend(
        "machine_report",
        "every run waits a second to measure the processor",
        "utils/utils.py:430",
        training.machine_report,
    ),
    Mend(
        "operation_count",
        "SASRecCPR and GRU4RecCPR crash before they train",
        "utils/utils.py:288",
        training.operation_count,
    ),
    Mend(
        "pretraining",
        "S3Rec's pretraining is lost where it has fewer epochs than save_step",
        "trainer/trainer.py:773",
        training.pretraining,
    ),
    Mend(
        "unknown_model",
        "an unknown model asks for lightgbm",
        "utils/utils.py:79",
        names.unknown_model,
    ),
    Mend(
        "safe_checkpoints",
        "checkpoints, saved data sets and a model's settings execute code",
        "trainer/trainer.py:323",
        checkpoints.install,
    ),
)

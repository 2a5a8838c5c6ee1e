"""Mends for packages that RecBole uses as they were years ago: numpy, scipy, yaml, ray, torch."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
import yaml
from scipy.sparse import dok_matrix

from recbole_imn.compat.views import recbole_module, show

# What RecBole would write into numpy itself (config/configurator.py, compatibility_settings).
NUMPY_NAMES: dict[str, Any] = {
    "bool": np.bool_,
    "int": np.int_,
    "float": np.float64,
    "complex": np.complex128,
    "object": np.object_,
    "str": np.str_,
    "long": np.int_,
    "unicode": np.str_,
}
# The modules of RecBole that use one of them.
NUMPY_USERS = (
    "data.dataset.dataset",
    "data.interaction",
    "evaluator.metrics",
    "model.abstract_recommender",
    "model.context_aware_recommender.ffm",
    "model.layers",
    "trainer.hyper_tuning",
)
# The models of RecBole that fill a dok_matrix by its private method.
SPARSE_USERS = (
    "model.general_recommender.gcmc",
    "model.general_recommender.lightgcn",
    "model.general_recommender.ncl",
    "model.general_recommender.ngcf",
    "model.general_recommender.spectralcf",
    "model.knowledge_aware_recommender.kgin",
    "model.knowledge_aware_recommender.mcclk",
)
QUICK_START = "quick_start.quick_start"
SINE = "model.sequential_recommender.sine"


def numpy_aliases() -> bool:
    """Show modules of RecBole the names that numpy 1.24 and 2.0 took away."""
    show(NUMPY_USERS, "np", **NUMPY_NAMES)
    # It would write the same names into numpy, for the whole process.
    recbole_module("config.configurator").Config.compatibility_settings = lambda self: None
    return True


class _DictionaryMatrix(dok_matrix):  # type: ignore[misc]  # scipy is untyped
    """A matrix with the private method that scipy 1.13 took away."""

    def _update(self, values: dict[tuple[int, int], float]) -> None:
        self._dict.update(values)


def sparse_update() -> bool:
    """Show graph models of RecBole a dok_matrix that they can fill."""
    if hasattr(dok_matrix, "_update"):
        return False
    show(SPARSE_USERS, "sp", dok_matrix=_DictionaryMatrix)
    return True


# With libyaml, where yaml was built with it: every Config reads four files or more.
class RecBoleLoader(getattr(yaml, "CFullLoader", yaml.FullLoader)):  # type: ignore[misc]
    """Reads ``1e-3`` as a number once a Config has told it how."""


def yaml_loader() -> bool:
    """Let every Config teach its floats to a loader of RecBole's own, not to yaml's."""
    show(("config.configurator",), "yaml", FullLoader=RecBoleLoader)
    return True


def ray_stub() -> bool:
    """Import RecBole's quick start without ray, which it needs for one call under Ray Tune."""
    if f"recbole.{QUICK_START}" in sys.modules:
        # The caller has a ray that works, and RecBole has it already.
        return False
    tune = SimpleNamespace(report=_report)
    stub = ModuleType("ray")
    vars(stub)["tune"] = tune
    callers = sys.modules.pop("ray", None)
    sys.modules["ray"] = stub
    try:
        recbole_module(QUICK_START)
    finally:
        del sys.modules["ray"]
        if callers is not None:
            sys.modules["ray"] = callers
    return True


def _report(**metrics: float) -> None:
    """Report to Ray Tune from inside one of its trials; elsewhere nobody has imported ray."""
    if sys.modules.get("ray"):
        from ray import tune

        tune.report(**metrics)


def anomaly_detection() -> bool:
    """Keep what importing the model SINE switches on for every model of the process."""
    if f"recbole.{SINE}" in sys.modules:
        # Nobody can know any more what the caller had.
        return False
    before = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    # Imported now, so that no later import switches it on.
    recbole_module(SINE)
    torch.set_anomaly_enabled(*before)
    return True

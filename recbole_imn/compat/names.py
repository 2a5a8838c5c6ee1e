"""Names of models, and one line for a name that nobody knows."""

from __future__ import annotations

import difflib
from functools import wraps
from pathlib import Path
from typing import Any

from recbole_imn.compat.views import recbole_module
from recbole_imn.errors import UnknownModelError

# RecBole's models of boosted trees, by the names of their packages: it imports both for either.
TREES = ("lightgbm", "xgboost")
# Names of models that RecBole's own property files do not list.
extra_model_names: set[str] = set()


def model_names() -> set[str]:
    """Names of all models known to RecBole and to the package."""
    import recbole

    properties = Path(recbole.__file__).parent / "properties" / "model"
    return {file.stem for file in properties.glob("*.yaml")} | extra_model_names


def unknown_model() -> bool:
    """Name the nearest models for an unknown one, instead of a missing lightgbm."""
    configurator = recbole_module("config.configurator")
    original = configurator.get_model

    @wraps(original)
    def get_model(model_name: str) -> Any:
        try:
            return original(model_name)
        except (ModuleNotFoundError, ValueError, AttributeError) as error:
            if model_name in TREES:
                raise UnknownModelError(
                    f"the model {model_name} of RecBole needs the packages {' and '.join(TREES)}, "
                    "which are not all installed; LambdaRank is one of boosted trees, too"
                ) from error
            if model_name in model_names():
                raise
            hint = _nearest(model_name) or (
                "; a class of your own: recbole_imn.register_model(CLASS) first"
            )
            raise UnknownModelError(f"there is no model {model_name!r}{hint}") from error

    configurator.get_model = get_model
    return True


def _nearest(name: str) -> str:
    """Give a hint at the models whose names are most like another, whatever the case."""
    known = {model.lower(): model for model in sorted(model_names())}
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(known[model] for model in near)}?" if near else ""

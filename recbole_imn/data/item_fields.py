"""Item features that RecBole's feature-aware models see of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recbole_imn import registry
from recbole_imn.data.atomic import read_header
from recbole_imn.settings_files import read_settings

FEATURE_AWARE = ("GRU4RecF", "SASRecF")
LOG_COLUMNS = ["user_id", "item_id", "timestamp", "behavior", "purchase"]


def dataset_settings(dataset: str, folder: Path) -> dict[str, Any]:
    """Give what the data set's own file says; nothing without one."""
    file = registry.dataset_config(dataset, folder.parent)
    return {} if file is None else read_settings(file)


def selected_features(dataset: str, folder: Path) -> dict[str, str]:
    """Give the item fields, with types, that feature-aware models see; empty without any.

    They are the ``item_features`` of the data set's settings, which our models see too, but
    for vectors (``float_seq``), which RecBole's models count as many fields and embed as one.
    """
    items = folder / f"{dataset}.item"
    if not items.is_file():
        return {}
    names = dataset_settings(dataset, folder).get("item_features") or []
    header = read_header(items)
    return {name: header[name] for name in names if header.get(name) in ("token", "float")}


def feature_settings(model: str, dataset: str, folder: Path) -> dict[str, Any]:
    """Let RecBole's feature-aware models see categories and numbers of items.

    Parameters
    ----------
    model, dataset : str
    folder : Path
        The folder of the data set itself.

    Returns
    -------
    dict
        Empty for other models, and where the data set has no such features.
    """
    if model not in FEATURE_AWARE:
        return {}
    features = selected_features(dataset, folder)
    if not features:
        return {}
    numbers = [name for name, kind in features.items() if kind == "float"]
    return {
        "selected_features": list(features),
        # Otherwise RecBole counts numbers but does not embed them.
        "numerical_features": numbers,
        # Embeddings are multiplied by numbers, which are prices and mileages.
        "normalize_field": numbers,
        # A column of the log under the name of an item's field would be treated like it.
        "load_col": {"inter": LOG_COLUMNS, "item": ["item_id", *features]},
        "item_features": [],
        "event_features": [],
        "inventory_features": [],
    }

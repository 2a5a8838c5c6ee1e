"""Whether the items of a data set are what a run needs of them."""

from __future__ import annotations

from typing import Any

from recbole.utils.enum_type import FeatureType

from recbole_imn.errors import DataError, SettingsError
from recbole_imn.training_checks import RANK_ALL_ALONE, partition_sizes


def check_items(dataset: Any) -> None:
    """Refuse what RecBole meets with a bare error in training, or after it.

    Parameters
    ----------
    dataset : StreamDataset

    Raises
    ------
    DataError
        If there are fewer items than are to be ranked.
    SettingsError
        If the model needs item attributes that are not loaded, or that it cannot take.
    """
    longest, n_items = max(dataset.config["topk"]), dataset.item_num - 1
    if longest > n_items:
        raise DataError(
            f"data set {dataset.dataset_name!r} has {n_items} items, but topk asks for {longest}; "
            f"set for example topk: [{n_items}] and valid_metric: NDCG@{n_items}, as options, or "
            f"for all commands in dataset_configs/{dataset.dataset_name}.yaml"
        )
    _check_partitions(dataset)
    columns = [] if dataset.item_feat is None else dataset.item_feat.columns
    attributes = sorted(set(columns) - {dataset.iid_field})
    for name in dataset.config["selected_features"] or []:
        if name not in attributes:
            known = ", ".join(attributes) or "none; name some in load_col"
            raise SettingsError(
                f"selected_features of {dataset.config['model']} names {name!r}, which "
                f"{dataset.dataset_name} does not have; set it in a file for --config_files "
                f"(item attributes: {known})"
            )
        _check_selected(dataset, name)


def _check_partitions(dataset: Any) -> None:
    """Refuse to rank more items anew than there are, as SASRecCPR and GRU4RecCPR do."""
    config = dataset.config
    if config["model"] not in RANK_ALL_ALONE:
        return
    sizes = partition_sizes(config["reranker_CAN_NUM"])
    # To both of them padding is an item.
    if sizes and max(sizes) > dataset.item_num:
        raise SettingsError(
            f"reranker_CAN_NUM of {config['model']} is {config['reranker_CAN_NUM']}, but "
            f"{dataset.dataset_name} has {dataset.item_num - 1} items; set it to "
            f"{dataset.item_num - 1} or less"
        )


def _check_selected(dataset: Any, name: str) -> None:
    """Refuse a selected attribute that RecBole's embeddings leave out, or sum up unasked."""
    kind, model = dataset.field2type[name], dataset.config["model"]
    if kind.value.startswith("float") and name not in dataset.config["numerical_features"]:
        raise SettingsError(
            f"selected_features of {model} names {name!r}, which holds numbers; RecBole's "
            "models take those only that numerical_features names as well"
        )
    if kind == FeatureType.FLOAT_SEQ and model == "SASRecF":
        raise SettingsError(
            f"selected_features names {name!r}, of type float_seq, which SASRecF of RecBole "
            "cannot take; GRU4RecF can"
        )

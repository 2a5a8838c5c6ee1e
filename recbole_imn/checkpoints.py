"""Checkpoints that hold tensors and plain values only, and so are read without executing code."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import torch
from scipy import sparse

# RecBole is imported where it is used: the mends that let it be imported need this module.

# Marks a parameter of a checkpoint that is written otherwise than it is used.
_KIND = "recbole_imn_kind"


class UnsafeCheckpointError(ValueError):
    """A checkpoint that would need code to be executed, on reading or after saving."""


def _plain(value: Any) -> Any:
    """Copy nested settings, without what is no plain value."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {_plain(key): _plain(entry) for key, entry in value.items() if _is_plain(entry)}
    if isinstance(value, list | tuple):
        return _sequence(value, [_plain(entry) for entry in value if _is_plain(entry)])
    return value


def _is_plain(value: Any) -> bool:
    # Exact types: an Enum may be an int or a str as well.
    exact = (bool, int, float, str, list, tuple, dict)
    numpy_scalars = (np.bool_, np.number, np.str_)
    return value is None or type(value) in exact or isinstance(value, numpy_scalars)


def _sequence(like: list[Any] | tuple[Any, ...], entries: list[Any]) -> Any:
    return tuple(entries) if isinstance(like, tuple) else entries


def plain_config(config: Any) -> dict[str, Any]:
    """Give a Config as plain values: names, what the user set, and what came of it."""
    return {
        "model": config["model"],
        "dataset": config["dataset"],
        "external": _plain(config.external_config_dict),
        "final": _plain(config.final_config_dict),
    }


def rebuild_config(plain: dict[str, Any]) -> Any:
    """Make a Config from the values of a checkpoint, evaluating none of them.

    The options of the running program have no say, and values that a Config would derive
    otherwise today are those of the checkpoint.
    """
    from recbole.config import Config

    from recbole_imn.preparation import no_options

    convert = Config._convert_config_dict
    Config._convert_config_dict = lambda self, values: dict(values)
    try:
        with no_options():
            config = Config(plain["model"], plain["dataset"], config_dict=plain["external"])
    finally:
        Config._convert_config_dict = convert
    for key, value in plain["final"].items():
        if _plain(config.final_config_dict.get(key)) != value:
            config.final_config_dict[key] = value
    return config


def encode_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Write what a model keeps beside its weights as tensors and plain values.

    Parts that are modules are left out: their weights are in the state dict.

    Raises
    ------
    UnsafeCheckpointError
        If a parameter is of another kind.
    """
    return {
        name: _encode(name, value)
        for name, value in parameters.items()
        if not isinstance(value, torch.nn.Module)
    }


def _encode(name: str, value: Any) -> Any:
    if sparse.issparse(value):
        return _encode_sparse(name, value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        kind = "matrix" if isinstance(value, np.matrix) else "array"
        return {_KIND: kind, "values": torch.tensor(np.asarray(value))}
    if isinstance(value, dict):
        return {key: _encode(name, entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return _sequence(value, [_encode(name, entry) for entry in value])
    if isinstance(value, torch.Tensor) or _is_plain(value):
        return _plain(value)
    raise UnsafeCheckpointError(
        f"parameter {name!r} is a {type(value).__name__}, which no checkpoint can hold as values; "
        "keep it as a tensor, an array or a sparse matrix"
    )


def _encode_sparse(name: str, value: Any) -> dict[str, Any]:
    entries = value.tocoo()
    return {
        _KIND: "sparse",
        "format": value.format,
        "is_matrix": sparse.isspmatrix(value),
        "shape": list(value.shape),
        "entries": [_encode(name, part) for part in (entries.data, entries.row, entries.col)],
    }


def decode_parameter(value: Any) -> Any:
    """Read a parameter as it was before ``encode_parameters``."""
    if isinstance(value, list | tuple):
        return _sequence(value, [decode_parameter(entry) for entry in value])
    if not isinstance(value, dict):
        return value
    if value.get(_KIND) == "sparse":
        return _decode_sparse(value)
    if _KIND in value:
        array = value["values"].cpu().numpy()
        return array.view(np.matrix) if value[_KIND] == "matrix" else array
    return {key: decode_parameter(entry) for key, entry in value.items()}


def _decode_sparse(value: dict[str, Any]) -> Any:
    data, rows, columns = decode_parameter(value["entries"])
    make = sparse.coo_matrix if value["is_matrix"] else sparse.coo_array
    return make((data, (rows, columns)), shape=tuple(value["shape"])).asformat(value["format"])


def _on_device(value: Any, device: Any) -> Any:
    """Move the tensors of nested parameters to a device."""
    if isinstance(value, dict):
        return {key: _on_device(entry, device) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return _sequence(value, [_on_device(entry, device) for entry in value])
    return value.to(device) if isinstance(value, torch.Tensor) else value


def load_checkpoint(file: str) -> dict[str, Any]:
    """Read a checkpoint without executing code.

    Raises
    ------
    UnsafeCheckpointError
        If the checkpoint needs code, as those of plain RecBole do.
    ValueError
        If the file is no checkpoint at all.
    """
    try:
        checkpoint: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeCheckpointError(
            f"{file} can only be read by executing code from it, as checkpoints of plain RecBole "
            "can; train the model again with recbole_imn imported"
        ) from error
    except (KeyError, RuntimeError, EOFError) as error:
        # What torch's reader raises on a damaged file, or on one of another kind.
        raise ValueError(f"{file} is no checkpoint, or a damaged one") from error
    return checkpoint


def load_data_and_model(model_file: str) -> tuple[Any, ...]:
    """Load a checkpoint and make its model and data, as RecBole's function of this name.

    Parameters
    ----------
    model_file : str
        A checkpoint saved while recbole_imn was imported.

    Returns
    -------
    config, model, dataset, train_data, valid_data, test_data

    Raises
    ------
    UnsafeCheckpointError
        If the checkpoint needs code.
    """
    from recbole.utils import init_logger

    from recbole_imn.preparation import make_model

    checkpoint = load_checkpoint(model_file)
    config = rebuild_config(checkpoint["config"])
    init_logger(config)
    dataset, loaders, model = make_model(config)
    model.load_state_dict(checkpoint["state_dict"])
    other = _on_device(checkpoint.get("other_parameter"), config["device"])
    model.load_other_parameter(other)
    return (config, model, dataset, *loaders)

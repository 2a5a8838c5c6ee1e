"""Settings and parameters as tensors and plain values, which are read without executing code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy import sparse

from recbole_imn.errors import UnsafeCheckpointError

# Marks a parameter of a checkpoint that is written otherwise than it is used.
_KIND = "recbole_imn_kind"


def plain_copy(value: Any) -> Any:
    """Copy nested settings, without what is no plain value."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {
            plain_copy(key): plain_copy(entry) for key, entry in value.items() if is_plain(entry)
        }
    if isinstance(value, list | tuple):
        return _sequence(value, [plain_copy(entry) for entry in value if is_plain(entry)])
    return value


def is_plain(value: Any) -> bool:
    """Whether a value, not looking inside, is kept by :func:`plain_copy`."""
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
        "external": plain_copy(config.external_config_dict),
        "final": plain_copy(config.final_config_dict),
    }


def weights_sum(weights: Mapping[str, torch.Tensor]) -> str:
    """Give the SHA-256 of a state dict: names and bytes, in the order of names."""
    digest = hashlib.sha256()
    for name, weight in sorted(weights.items()):
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


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
    if isinstance(value, torch.Tensor) or is_plain(value):
        return plain_copy(value)
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


def on_device(value: Any, device: Any) -> Any:
    """Move the tensors of nested parameters to a device."""
    if isinstance(value, dict):
        return {key: on_device(entry, device) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return _sequence(value, [on_device(entry, device) for entry in value])
    return value.to(device) if isinstance(value, torch.Tensor) else value

"""A device that is not the processor, for machines that have no other.

Tensors there are kept in the processor's memory behind a wrapper that says it is on another
device, and that refuses what a GPU refuses: to be read as an array, and to meet tensors of the
processor. What works here has no place left where it forgets to move something.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

# No tensor has values on it, and torch runs backward passes for it in the calling thread.
ELSEWHERE = torch.device("meta")

aten = torch.ops.aten
# A GPU takes indices from the processor, and copies between both.
TAKES_INDICES = {
    aten.index.Tensor,
    aten.index_put.default,
    aten.index_put_.default,
    aten._index_put_impl_.default,
}
COPIES = {aten.copy_.default, aten._to_copy.default}


class Elsewhere(torch.Tensor):
    """A tensor on the other device."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Elsewhere:
        like = {"dtype": held.dtype, "device": ELSEWHERE, "requires_grad": held.requires_grad}
        if held.layout is torch.strided:
            like |= {"strides": held.stride(), "storage_offset": held.storage_offset()}
        return torch.Tensor._make_wrapper_subclass(cls, held.shape, layout=held.layout, **like)

    def __init__(self, held: torch.Tensor) -> None:
        self.held = held

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})

    def __reduce_ex__(self, protocol: int) -> Any:
        """Be stored as what a loader that maps to the processor gives."""
        kept = torch.nn.Parameter(self.held) if isinstance(self, torch.nn.Parameter) else self.held
        return kept.__reduce_ex__(protocol)


class _Factories(TorchDispatchMode):
    """Makes tensors on the other device where they are asked for."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _FromNumbers(TorchFunctionMode):
    """Makes tensors of numbers, and numbers of tensors, by way of the processor."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return func(*args, **kwargs).to(device)
        if func is torch.Tensor.tolist:
            return func(args[0].cpu())
        return func(*args, **kwargs)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run an operation on what is held, and keep its results on the device it belongs to."""
    device = kwargs.get("device")
    _refuse_mixture(func, args, kwargs)
    there = _any_there((args, kwargs)) if device is None else torch.device(device) == ELSEWHERE
    given = {**kwargs, "device": torch.device("cpu")} if device is not None else kwargs
    result = func(*tree_map(_held, args), **tree_map(_held, given))
    if not func._schema.returns:
        return None
    first = func._schema.arguments[:1]
    if first and first[0].alias_info is not None and first[0].alias_info.is_write:
        if torch.Tag.inplace_view in func.tags and there:
            # The wrapper's own shape changes with that of what it holds.
            with no_dispatch():
                func(*args, **kwargs)
        return args[0]
    if "out" in kwargs:
        return kwargs["out"]
    return tree_map(_there, result) if there else result


def _any_there(values: Any) -> bool:
    return any(isinstance(value, Elsewhere) for value in tree_flatten(values)[0])


def _held(value: Any) -> Any:
    return value.held if isinstance(value, Elsewhere) else value


def _there(value: Any) -> Any:
    is_here = isinstance(value, torch.Tensor) and not isinstance(value, Elsewhere)
    return Elsewhere(value) if is_here else value


def _refuse_mixture(func: Any, args: Any, kwargs: Any) -> None:
    """Refuse tensors of both devices, as a GPU does.

    Raises
    ------
    RuntimeError
    """
    if func in COPIES:
        return
    if func in TAKES_INDICES:
        _refuse_indices(func, args)
        args = [args[0], *args[2:]]
    tensors = [
        value for value in tree_flatten((args, kwargs))[0] if isinstance(value, torch.Tensor)
    ]
    here = [value for value in tensors if not isinstance(value, Elsewhere) and value.dim()]
    if here and len(here) < len(tensors) and _any_there(tensors):
        raise RuntimeError(f"{func}: expected all tensors to be on the same device")


def _refuse_indices(func: Any, args: Any) -> None:
    if not isinstance(args[0], Elsewhere) and _any_there(args[1]):
        raise RuntimeError(f"{func}: indices should be on the device of the indexed tensor")


@contextmanager
def elsewhere() -> Iterator[torch.device]:
    """Let tensors be made on the other device, and modules be moved to it."""
    swaps = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with _Factories(), _FromNumbers():
            yield ELSEWHERE
    finally:
        torch.__future__.set_swap_module_params_on_conversion(swaps)

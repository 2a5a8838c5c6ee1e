"""Linear maps of contexts, of which rows share parts: products of what is distinct, once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.stream.products import MOST_ROWS, add_product, affine


def join_context(
    user: Tensor,
    users: Tensor,
    user_place: Tensor,
    item: Tensor,
    items: Tensor,
    item_place: Tensor,
) -> Tensor:
    """Give contexts ``[user, users[user_place], item, items[item_place]]``, side by side.

    Parameters
    ----------
    user, item : float [n, width of the part]
        States of each row.
    users, items : float [n_distinct, width of the part]
        Static embeddings.
    user_place, item_place : int64 [n]
        Which of them each row has.

    Returns
    -------
    float [n, width]
    """
    return torch.cat(
        [user, users.index_select(0, user_place), item, items.index_select(0, item_place)], dim=1
    )


def map_context(
    user: Tensor,
    users: Tensor,
    user_place: Tensor,
    item: Tensor,
    items: Tensor,
    item_place: Tensor,
    weight: Tensor,
    bias: Tensor,
) -> Tensor:
    """Give ``join_context(...) @ weight.T + bias`` without a product for what rows share.

    Rows of few users, or of few items, are multiplied once each; the rest is sums. A row's
    bits depend on no other row.

    Parameters
    ----------
    user, users, user_place, item, items, item_place
        As of :func:`join_context`.
    weight : float [n_out, width]
    bias : float [n_out]

    Returns
    -------
    float [n, n_out]

    Raises
    ------
    IndexError
        If a place does not exist.
    """
    parts = (user, users, user_place, item, items, item_place)
    if not is_compiled(weight):
        return map_context_formula(*parts, weight, bias)
    n_out = len(weight)
    if n_out < MOST_ROWS:
        # With few columns, a row's sum depends even on its place in a large product.
        weight = functional.pad(weight, (0, 0, 0, MOST_ROWS - n_out))
        bias = functional.pad(bias, (0, MOST_ROWS - n_out))
    mapped: Tensor = _MapContext.apply(*parts, weight, bias)  # type: ignore[no-untyped-call]
    return mapped[:, :n_out] if n_out < MOST_ROWS else mapped


def map_context_formula(
    user: Tensor,
    users: Tensor,
    user_place: Tensor,
    item: Tensor,
    items: Tensor,
    item_place: Tensor,
    weight: Tensor,
    bias: Tensor,
) -> Tensor:
    """Give :func:`map_context` as torch operations."""
    return affine(join_context(user, users, user_place, item, items, item_place), weight, bias)


class _MapContext(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        user: Tensor,
        users: Tensor,
        user_place: Tensor,
        item: Tensor,
        items: Tensor,
        item_place: Tensor,
        weight: Tensor,
        bias: Tensor,
    ) -> Tensor:
        widths = [part.shape[1] for part in (user, users, item, items)]
        of_user, of_users, of_item, of_items = weight.split(widths, dim=1)
        out = weight.new_empty(len(user), len(weight))
        shared = affine(users, of_users, bias), affine(items, of_items)
        places = array(user_place), array(item_place)
        _add_shared(array(shared[0]), places[0], array(shared[1]), places[1], array(out))
        add_product(out, user, of_user)
        add_product(out, item, of_item)
        ctx.save_for_backward(user, users, item, items, weight)
        ctx.places, ctx.widths = places, widths
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        user, users, item, items, weight = ctx.saved_tensors
        of_users = grad.new_zeros(len(users), grad.shape[1])
        of_items = grad.new_zeros(len(items), grad.shape[1])
        grad = grad.contiguous()
        by_user, by_item = ctx.places
        _share(grad.numpy(), by_user, by_item, of_users.numpy(), of_items.numpy())
        to_weight = torch.empty_like(weight)
        grads = (grad, of_users, grad, of_items)
        columns = zip(weight.split(ctx.widths, 1), to_weight.split(ctx.widths, 1), strict=True)
        to_parts = []
        for values, of_values, (some, to_some) in zip(
            (user, users, item, items), grads, columns, strict=True
        ):
            torch.mm(of_values.t(), values, out=to_some)
            to_parts.append(of_values @ some)
        to_user, to_users, to_item, to_items = to_parts
        to_bias = of_users.sum(dim=0)
        return to_user, to_users, None, to_item, to_items, None, to_weight, to_bias


@compiled
def _add_shared(of_users: Any, user_place: Any, of_items: Any, item_place: Any, out: Any) -> None:
    n, width = out.shape
    if len(user_place) != n or len(item_place) != n:
        raise ValueError("shapes of rows and places do not agree")
    for i in range(n):
        user, item = user_place[i], item_place[i]
        if user < 0 or user >= len(of_users) or item < 0 or item >= len(of_items):
            raise IndexError("a place is not one of the distinct users or items")
        for j in range(width):
            out[i, j] = of_users[user, j] + of_items[item, j]


@compiled
def _share(grad: Any, user_place: Any, item_place: Any, of_users: Any, of_items: Any) -> None:
    for i in range(len(grad)):
        row, user, item = grad[i], of_users[user_place[i]], of_items[item_place[i]]
        for j in range(len(row)):
            user[j] += row[j]
            item[j] += row[j]

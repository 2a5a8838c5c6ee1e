"""Profile of a user's latest items, with a backward pass written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from recbole_imn.kernels.compiled import compiled

Array = npt.NDArray[Any]


def profile(
    descriptions: Tensor,
    items: Tensor,
    behaviours: Tensor,
    ages: Tensor,
    later: Tensor,
    place: Tensor,
    behaviour: Tensor,
    age: Tensor,
    prior: Tensor,
    speed: float,
) -> Tensor:
    r"""Give the weighted mean of the descriptions of each row's items.

    .. math::
        m = \frac{\sum_k w_k \psi(x_k)}{e^{s p} + \sum_k w_k}, \quad
        w_k = \exp s (\pi_{l_k} + \beta_{b_k} + \alpha_0 \tau_k + \alpha_1 \tau_k^2)

    with s the speed. A row's result depends on no other row. On another device than the CPU
    this is ``profile_by_formula``.

    Parameters
    ----------
    descriptions : float [n_items, n_columns]
        Of each item, psi; they have no gradient.
    items : int64 [n, length]
        The latest items x in any order; 0 or less where there is none.
    behaviours : int64 [n, length]
        Behaviours of their events, b; not looked at where there is no item.
    ages : float [n, length]
        How long ago the events were, tau, in the unit of ``log_time``; without a gradient.
    later : int64 [n, length]
        How many of the row's events came after each, l: 0 for the newest.
    place : float [longest length]
        The pi.
    behaviour : float [n_behaviours]
        The beta.
    age : float [2]
        The alpha.
    prior : float, scalar
        The p.
    speed : float

    Returns
    -------
    float [n, n_columns]
        0 in rows without items.
    """
    arguments = descriptions, items, behaviours, ages, later, place, behaviour, age, prior, speed
    if place.device.type != "cpu":
        return profile_by_formula(*arguments)
    mean: Tensor = _Profile.apply(*arguments)  # type: ignore[no-untyped-call]
    return mean


def profile_by_formula(
    descriptions: Tensor,
    items: Tensor,
    behaviours: Tensor,
    ages: Tensor,
    later: Tensor,
    place: Tensor,
    behaviour: Tensor,
    age: Tensor,
    prior: Tensor,
    speed: float,
) -> Tensor:
    """Give what ``profile`` gives, by operations of torch on any device."""
    known = items > 0
    by_event = place[later.masked_fill(~known, 0)] + behaviour[behaviours.masked_fill(~known, 0)]
    ages = ages.masked_fill(~known, 0)
    logits = speed * (by_event + age[0] * ages + age[1] * ages.square())
    weights = torch.exp(logits) * known
    total = functional.embedding_bag(
        items.masked_fill(~known, 0), descriptions, mode="sum", per_sample_weights=weights
    )
    return total / (torch.exp(speed * prior) + weights.sum(dim=1, keepdim=True))


class _Profile(torch.autograd.Function):
    """The compiled profile; weights of events are kept for the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        descriptions: Tensor,
        items: Tensor,
        behaviours: Tensor,
        ages: Tensor,
        later: Tensor,
        place: Tensor,
        behaviour: Tensor,
        age: Tensor,
        prior: Tensor,
        speed: float,
    ) -> Tensor:
        inputs = [
            value.contiguous()
            for value in (descriptions, items, behaviours, ages, later, place, behaviour, age)
        ]
        mean = place.new_zeros(len(items), descriptions.shape[1])
        weights, everything = place.new_zeros(items.shape), place.new_empty(len(items))
        ctx.speed = place.detach().numpy().dtype.type(speed)
        # An array of one number, as numba tells scalars from arrays.
        prior_weight = torch.exp(speed * prior).reshape(1)
        results = weights, everything, mean
        arrays = [*_arrays(*inputs, prior_weight), ctx.speed, *_arrays(*results)]
        _forward(*arrays)
        ctx.save_for_backward(*inputs, prior_weight, *results)
        return mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        gradients = [torch.zeros_like(value) for value in saved[5:9]]
        arrays = _arrays(gradient.contiguous(), *saved[:5], *saved[8:])
        arrays += [ctx.speed, *_arrays(*gradients)]
        _backward(*arrays)
        place, behaviour, age, prior = gradients
        return None, None, None, None, None, place, behaviour, age, prior.reshape(()), None


def _arrays(*tensors: Tensor) -> list[Any]:
    return [tensor.detach().numpy() for tensor in tensors]


@compiled
def _forward(
    descriptions: Array,
    items: Array,
    behaviours: Array,
    ages: Array,
    later: Array,
    place: Array,
    behaviour: Array,
    age: Array,
    prior_weight: Array,
    speed: Any,
    weights: Array,
    everything: Array,
    mean: Array,
) -> None:
    """Fill in weights of events, their sums with the prior's weight, and means."""
    n, length = items.shape
    n_columns = descriptions.shape[1]
    for row in range(n):
        total = prior_weight[0]
        for k in range(length):
            item = items[row, k]
            if item <= 0:
                continue
            tau = ages[row, k]
            logit = place[later[row, k]] + behaviour[behaviours[row, k]]
            weight = np.exp(speed * (logit + age[0] * tau + age[1] * tau * tau))
            weights[row, k] = weight
            total += weight
            for column in range(n_columns):
                mean[row, column] += weight * descriptions[item, column]
        everything[row] = total
        for column in range(n_columns):
            mean[row, column] /= total


@compiled
def _backward(
    gradient: Array,
    descriptions: Array,
    items: Array,
    behaviours: Array,
    ages: Array,
    later: Array,
    prior_weight: Array,
    weights: Array,
    everything: Array,
    mean: Array,
    speed: Any,
    to_place: Array,
    to_behaviour: Array,
    to_age: Array,
    to_prior: Array,
) -> None:
    """Add to gradients: a weight pulls the mean from where it is to its item's description."""
    n, length = items.shape
    n_columns = descriptions.shape[1]
    for row in range(n):
        along_mean = mean.dtype.type(0)
        for column in range(n_columns):
            along_mean += gradient[row, column] * mean[row, column]
        scale = speed / everything[row]
        to_prior[0] -= scale * prior_weight[0] * along_mean
        for k in range(length):
            item = items[row, k]
            if item <= 0:
                continue
            along = -along_mean
            for column in range(n_columns):
                along += gradient[row, column] * descriptions[item, column]
            to_logit = scale * weights[row, k] * along
            tau = ages[row, k]
            to_place[later[row, k]] += to_logit
            to_behaviour[behaviours[row, k]] += to_logit
            to_age[0] += to_logit * tau
            to_age[1] += to_logit * tau * tau

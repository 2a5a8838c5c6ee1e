"""Attention of rows to embeddings of their latest items, with a backward pass written out."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled, in_order
from recbole_imn.kernels.elementary import exponential
from recbole_imn.kernels.in_parallel import in_parallel, threads_for

Array = npt.NDArray[Any]


def attend(
    queries: Tensor,
    embedded: Tensor,
    places: Tensor,
    behaviours: Tensor,
    ages: Tensor,
    place: Tensor,
    behaviour: Tensor,
    age: Tensor,
    gain: float,
    speed: float,
) -> Tensor:
    r"""Give, for each head of each row, the weighted mean of the row's embeddings.

    .. math::
        m_h = \sum_k a_{hk} x_k, \quad a_h = \text{softmax}_k \big(g \, q_h^\top x_k
        + s (\pi_{hk} + \beta_{h b_k} + \alpha_{h0} \tau_k + \alpha_{h1} \tau_k^2)\big)

    with g the gain and s the speed. A row's result depends on no other row. On another device
    than the CPU this is ``attend_by_formula``.

    Parameters
    ----------
    queries : float [n, n_heads, d]
        The q.
    embedded : float [n_distinct, d]
        The x, once for all rows.
    places : int64 [n, length]
        Which of them are the row's, the newest first; -1 where there are no more.
    behaviours : int64 [n, length]
        Behaviours of their events, b; not looked at behind the last one.
    ages : float [n, length]
        How long ago the events were, tau, in the unit of ``log_time``; without a gradient.
    place : float [n_heads, length]
        The pi.
    behaviour : float [n_heads, n_behaviours]
        The beta.
    age : float [n_heads, 2]
        The alpha.
    gain, speed : float

    Returns
    -------
    float [n, n_heads, d]
        0 in rows without items.
    """
    arguments = queries, embedded, places, behaviours, ages, place, behaviour, age, gain, speed
    if queries.device.type != "cpu":
        return attend_by_formula(*arguments)
    mean: Tensor = _Attend.apply(*arguments)  # type: ignore[no-untyped-call]
    return mean


def attend_by_formula(
    queries: Tensor,
    embedded: Tensor,
    places: Tensor,
    behaviours: Tensor,
    ages: Tensor,
    place: Tensor,
    behaviour: Tensor,
    age: Tensor,
    gain: float,
    speed: float,
) -> Tensor:
    """Give what ``attend`` gives, by operations of torch on any device."""
    known = (places >= 0).unsqueeze(1)
    if len(embedded) == 0:
        return torch.zeros_like(queries)
    latest = embedded[places.clamp(min=0)]
    ages = ages.masked_fill(places < 0, 0)
    by_behaviour = behaviour.t()[behaviours.masked_fill(places < 0, 0)].transpose(1, 2)
    by_age = age[:, :1] * ages.unsqueeze(1) + age[:, 1:] * ages.square().unsqueeze(1)
    logits = gain * torch.einsum("nhd,nkd->nhk", queries, latest)
    logits = logits + speed * (place + by_behaviour + by_age)
    highest = logits.masked_fill(~known, -torch.inf).amax(dim=2, keepdim=True)
    weights = torch.exp(logits - highest.nan_to_num(neginf=0.0)) * known
    total = weights.sum(dim=2, keepdim=True)
    shares = weights / torch.where(total > 0, total, torch.ones_like(total))
    return torch.einsum("nhk,nkd->nhd", shares, latest)


class _Attend(torch.autograd.Function):
    """The compiled attention; shares of events are kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        *values, gain, speed = given
        inputs = [value.contiguous() for value in values]
        queries, _, places = inputs[:3]
        ctx.scalars = [queries.detach().numpy().dtype.type(value) for value in (gain, speed)]
        mean = torch.zeros_like(queries)
        shares = queries.new_empty(*queries.shape[:2], places.shape[1])
        results = [*ctx.scalars, *_arrays(shares, mean)]
        _forward(threads_for(len(places)), *_arrays(*inputs), *results)
        ctx.save_for_backward(*inputs, shares, mean)
        return mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        queries, embedded, places, behaviours, ages, *weights, shares, mean = ctx.saved_tensors
        to_logits, to_queries = torch.empty_like(shares), torch.zeros_like(queries)
        others = [torch.zeros_like(value) for value in (embedded, *weights)]
        gain, speed = ctx.scalars
        of_rows = _arrays(to_logits, to_queries)
        seen = _arrays(gradient.contiguous(), embedded, places, shares, mean)
        _backward(threads_for(len(places)), *[*seen, gain, *of_rows])
        given = _arrays(gradient.contiguous(), queries, places, behaviours, ages, shares, to_logits)
        _gather(*[*given, gain, speed, *_arrays(*others)])
        to_embedded, *to_weights = others
        return to_queries, to_embedded, None, None, None, *to_weights, None, None


def _arrays(*tensors: Tensor) -> list[Any]:
    return [tensor.detach().numpy() for tensor in tensors]


@compiled
def _along(first: Array, second: Array) -> Any:
    along = first.dtype.type(0)
    for column in range(len(first)):
        along += first[column] * second[column]
    return along


@compiled
def _number_of(places: Array) -> int:
    """Count the row's items: they come first."""
    number = 0
    while number < len(places) and places[number] >= 0:
        number += 1
    return number


@in_order
def _to_shares(logits: Array) -> None:
    """Turn logits into what is in proportion to their exponentials and adds up to 1."""
    highest, total = logits[0], logits.dtype.type(0)
    for k in range(len(logits)):
        highest = max(highest, logits[k])
    for k in range(len(logits)):
        logits[k] = exponential(logits[k] - highest)
    for k in range(len(logits)):
        total += logits[k]
    for k in range(len(logits)):
        logits[k] /= total


@compiled
def _forward_rows(
    first: int,
    last: int,
    queries: Array,
    embedded: Array,
    places: Array,
    behaviours: Array,
    ages: Array,
    place: Array,
    behaviour: Array,
    age: Array,
    gain: Any,
    speed: Any,
    shares: Array,
    mean: Array,
) -> None:
    """Fill in shares of events and weighted means."""
    for row in range(first, last):
        number = _number_of(places[row])
        for head in range(queries.shape[1] if number else 0):
            logits = shares[row, head, :number]
            for k in range(number):
                tau = ages[row, k]
                bias = place[head, k] + behaviour[head, behaviours[row, k]]
                bias += age[head, 0] * tau + age[head, 1] * tau * tau
                along = _along(queries[row, head], embedded[places[row, k]])
                logits[k] = gain * along + speed * bias
            _to_shares(logits)
            for k in range(number):
                share, where = logits[k], places[row, k]
                for column in range(mean.shape[2]):
                    mean[row, head, column] += share * embedded[where, column]


@compiled
def _backward_rows(
    first: int,
    last: int,
    gradient: Array,
    embedded: Array,
    places: Array,
    shares: Array,
    mean: Array,
    gain: Any,
    to_logits: Array,
    to_queries: Array,
) -> None:
    """Fill in gradients of what is the row's own: a share pulls the mean to its item."""
    for row in range(first, last):
        number = _number_of(places[row])
        for head in range(gradient.shape[1]):
            along_mean = _along(gradient[row, head], mean[row, head])
            for k in range(number):
                where = places[row, k]
                along = _along(gradient[row, head], embedded[where]) - along_mean
                to_logit = shares[row, head, k] * along
                to_logits[row, head, k] = to_logit
                scaled = gain * to_logit
                for column in range(gradient.shape[2]):
                    to_queries[row, head, column] += scaled * embedded[where, column]


_forward_all, _backward_all = in_parallel(_forward_rows), in_parallel(_backward_rows)


@compiled
def _forward(
    threads: int,
    queries: Array,
    embedded: Array,
    places: Array,
    behaviours: Array,
    ages: Array,
    place: Array,
    behaviour: Array,
    age: Array,
    gain: Any,
    speed: Any,
    shares: Array,
    mean: Array,
) -> None:
    rows = (
        queries, embedded, places, behaviours, ages, place, behaviour, age, gain, speed,
        shares, mean,
    )  # fmt: skip
    _forward_all(threads, len(places), rows)


@compiled
def _backward(
    threads: int,
    gradient: Array,
    embedded: Array,
    places: Array,
    shares: Array,
    mean: Array,
    gain: Any,
    to_logits: Array,
    to_queries: Array,
) -> None:
    rows = gradient, embedded, places, shares, mean, gain, to_logits, to_queries
    _backward_all(threads, len(places), rows)


@compiled
def _gather(
    gradient: Array,
    queries: Array,
    places: Array,
    behaviours: Array,
    ages: Array,
    shares: Array,
    to_logits: Array,
    gain: Any,
    speed: Any,
    to_embedded: Array,
    to_place: Array,
    to_behaviour: Array,
    to_age: Array,
) -> None:
    """Add up, row after row, gradients of what rows share."""
    for row in range(len(places)):
        number = _number_of(places[row])
        for head in range(gradient.shape[1]):
            for k in range(number):
                where, share = places[row, k], shares[row, head, k]
                to_logit = to_logits[row, head, k]
                scaled, tau = gain * to_logit, ages[row, k]
                for column in range(gradient.shape[2]):
                    to_embedded[where, column] += (
                        share * gradient[row, head, column] + scaled * queries[row, head, column]
                    )
                to_bias = speed * to_logit
                to_place[head, k] += to_bias
                to_behaviour[head, behaviours[row, k]] += to_bias
                to_age[head, 0] += to_bias * tau
                to_age[head, 1] += to_bias * tau * tau

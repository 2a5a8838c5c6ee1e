"""Representations of items: conditioned states beside static embeddings of unit length."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import (
    SHORTEST,
    SOFTENING,
    _condition,
    _condition_back,
    array,
    condition_rows,
    is_compiled,
    unit,
)
from recbole_imn.kernels.in_parallel import in_parallel, threads_for


def join(states: Tensor, rows: Tensor, centre: Tensor, embedded: Tensor, places: Tensor) -> Tensor:
    """Give ``[condition_rows(states, rows, centre), unit(embedded[places])]`` in one pass.

    Parameters
    ----------
    states : float [m, stored]
        Of which the first ``d`` columns are read.
    rows : int64 [n]
        Rows of ``states``; one may occur more than once.
    centre : float [d]
    embedded : float [n_distinct, width]
    places : int64 [n]
        Rows of ``embedded``.

    Returns
    -------
    float [n, d + width]

    Raises
    ------
    IndexError
        If a row is not one of ``states``, or a place not one of ``embedded``.
    """
    if not is_compiled(states):
        return join_formula(states, rows, centre, embedded, places)
    out: Tensor = _Join.apply(states, rows, centre, embedded, places)  # type: ignore[no-untyped-call]
    return out


def join_formula(
    states: Tensor, rows: Tensor, centre: Tensor, embedded: Tensor, places: Tensor
) -> Tensor:
    """Give :func:`join` as two operations."""
    return torch.cat([condition_rows(states, rows, centre), unit(embedded[places])], dim=1)


class _Join(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, rows: Tensor, centre: Tensor, embedded: Tensor, places: Tensor
    ) -> Tensor:
        n, width = len(rows), len(centre)
        out, scales = states.new_empty(n, width + embedded.shape[1]), states.new_empty(n, 2)
        given = (states, rows, centre, embedded, places)
        _join(threads_for(n), *map(array, (*given, out, scales)))
        ctx.save_for_backward(rows, places, out, scales)
        ctx.shape, ctx.width, ctx.n_embedded = states.shape, width, len(embedded)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, places, out, scales = ctx.saved_tensors
        of_states, of_centre = grad.new_zeros(ctx.shape), grad.new_zeros(ctx.width)
        of_embedded = grad.new_zeros(ctx.n_embedded, out.shape[1] - ctx.width)
        given = (rows, places, out, scales, grad)
        gradients = (of_states, of_centre, of_embedded)
        _join_back(threads_for(len(rows)), *map(array, (*given, *gradients)))
        return of_states, None, of_centre, of_embedded, None


@compiled
def _join_rows(
    first: int,
    last: int,
    states: Any,
    rows: Any,
    centre: Any,
    embedded: Any,
    places: Any,
    out: Any,
    scales: Any,
) -> None:
    width, n_embedded = len(centre), embedded.shape[1]
    # Slices, whose indices begin at 0, let loops be vectorised.
    rows, places, out, scales = (
        rows[first:last],
        places[first:last],
        out[first:last],
        scales[first:last],
    )
    one = out.dtype.type(1)
    softening, shortest = out.dtype.type(SOFTENING), out.dtype.type(SHORTEST)
    for i in range(len(rows)):
        row, place = rows[i], places[i]
        if row < 0 or row >= len(states) or place < 0 or place >= len(embedded):
            raise IndexError("a row is not one of the states, or a place not one of the embedded")
        square = softening
        for j in range(width):
            away = states[row, j] - centre[j]
            square += away * away
        scale = one / np.sqrt(square)
        for j in range(width):
            out[i, j] = (states[row, j] - centre[j]) * scale
        square = out.dtype.type(0)
        for j in range(n_embedded):
            square += embedded[place, j] * embedded[place, j]
        length = one / max(np.sqrt(square), shortest)
        for j in range(n_embedded):
            out[i, width + j] = embedded[place, j] * length
        scales[i, 0], scales[i, 1] = scale, length


_join_all = in_parallel(_join_rows)


@compiled
def _join(
    threads: int,
    states: Any,
    rows: Any,
    centre: Any,
    embedded: Any,
    places: Any,
    out: Any,
    scales: Any,
) -> None:
    if len(places) != len(rows):
        raise ValueError("there are not as many rows as places")
    _join_all(threads, len(rows), (states, rows, centre, embedded, places, out, scales))


@compiled
def _lengths_back(first: int, last: int, width: int, out: Any, grad: Any, along: Any) -> None:
    """Write how far the gradient of each row lies along both of its parts."""
    out, grad, along = out[first:last], grad[first:last], along[first:last]
    for i in range(len(out)):
        of_state = of_embedded = out.dtype.type(0)
        for j in range(width):
            of_state += grad[i, j] * out[i, j]
        for j in range(width, out.shape[1]):
            of_embedded += grad[i, j] * out[i, j]
        along[i, 0], along[i, 1] = of_state, of_embedded


@compiled
def _columns_back(
    first: int,
    last: int,
    rows: Any,
    places: Any,
    out: Any,
    scales: Any,
    grad: Any,
    along: Any,
    of_states: Any,
    of_centre: Any,
    of_embedded: Any,
) -> None:
    """Add to some columns of the gradients: several rows may be of one state or embedding."""
    width = len(of_centre)
    middle = min(max(first, width), last)
    of_centre = of_centre[first:middle]
    for i in range(len(rows)):
        # d out / d away = scale (1 - out out^T). Slices of rows are known to have no gaps.
        scale, total = scales[i, 0], along[i, 0]
        given, made = grad[i][first:middle], out[i][first:middle]
        of_state = of_states[rows[i]][first:middle]
        for j in range(len(of_centre)):
            slope = scale * (given[j] - total * made[j])
            of_state[j] += slope
            of_centre[j] -= slope
        scale, total = scales[i, 1], along[i, 1]
        given, made = grad[i][middle:last], out[i][middle:last]
        of_embedding = of_embedded[places[i]][middle - width : last - width]
        for j in range(len(given)):
            of_embedding[j] += scale * (given[j] - total * made[j])


_all_lengths_back, _all_columns_back = map(in_parallel, (_lengths_back, _columns_back))


@compiled
def _join_back(
    threads: int,
    rows: Any,
    places: Any,
    out: Any,
    scales: Any,
    grad: Any,
    of_states: Any,
    of_centre: Any,
    of_embedded: Any,
) -> None:
    along = np.empty((len(rows), 2), out.dtype)
    _all_lengths_back(threads, len(rows), (len(of_centre), out, grad, along))
    given = rows, places, out, scales, grad, along
    _all_columns_back(threads, out.shape[1], (*given, of_states, of_centre, of_embedded))


# -- with the items of users' latest events ------------------------------------------------------


def join_with_latest(
    states: Tensor,
    rows: Tensor,
    centre: Tensor,
    embedded: Tensor,
    places: Tensor,
    latest_rows: Tensor,
    latest: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Give :func:`join`, and both parts of other items by themselves; gradients meet in one pass.

    Parameters
    ----------
    states, rows, centre, embedded, places
        As of :func:`join`.
    latest_rows : int64 [m]
        Rows of ``states``.
    latest : int64 [n_latest]
        Rows of ``embedded``.

    Returns
    -------
    joined : float [n, d + width]
    conditioned : float [m, d]
        States at ``latest_rows``.
    scaled : float [n_latest, width]
        Embeddings at ``latest``, of unit length.
    """
    given = (states, rows, centre, embedded, places, latest_rows, latest)
    if not is_compiled(states):
        return join_with_latest_formula(*given)
    out: tuple[Tensor, Tensor, Tensor] = _JoinWithLatest.apply(*given)  # type: ignore[no-untyped-call]
    return out


def join_with_latest_formula(
    states: Tensor,
    rows: Tensor,
    centre: Tensor,
    embedded: Tensor,
    places: Tensor,
    latest_rows: Tensor,
    latest: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Give :func:`join_with_latest` as three operations."""
    joined = join_formula(states, rows, centre, embedded, places)
    return joined, condition_rows(states, latest_rows, centre), unit(embedded[latest])


class _JoinWithLatest(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        rows: Tensor,
        centre: Tensor,
        embedded: Tensor,
        places: Tensor,
        latest_rows: Tensor,
        latest: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        n, width, n_embedded = len(rows), len(centre), embedded.shape[1]
        joined, scales = states.new_empty(n, width + n_embedded), states.new_empty(n, 2)
        conditioned = states.new_empty(len(latest_rows), width)
        scaled = states.new_empty(len(latest), n_embedded)
        all_states, by_row, middle, table, by_place = map(
            array, (states, rows, centre, embedded, places)
        )
        ctx.scales = scales.numpy(), np.empty(len(conditioned), table.dtype)
        ctx.lengths, ctx.latest = np.empty(len(scaled), table.dtype), array(latest)
        ctx.rows = by_row, by_place, array(latest_rows)
        given = all_states, by_row, middle, table, by_place
        _join(threads_for(n), *given, joined.numpy(), ctx.scales[0])
        _condition(all_states, ctx.rows[2], middle, conditioned.numpy(), ctx.scales[1])
        _unit_rows(table, ctx.latest, scaled.numpy(), ctx.lengths)
        ctx.save_for_backward(joined, conditioned, scaled)
        ctx.shapes = states.shape, centre.shape, embedded.shape
        return joined, conditioned, scaled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        of_states, of_centre, of_embedded = (grads[0].new_zeros(shape) for shape in ctx.shapes)
        into = of_states.numpy(), of_centre.numpy(), of_embedded.numpy()
        joined, conditioned, scaled = map(array, ctx.saved_tensors)
        of_joined, of_conditioned, of_scaled = map(array, grads)
        by_row, by_place, latest_rows = ctx.rows
        given = by_row, by_place, joined, ctx.scales[0], of_joined
        _join_back(threads_for(len(by_row)), *given, *into)
        _condition_back(latest_rows, conditioned, ctx.scales[1], of_conditioned, into[0], into[1])
        _unit_rows_back(ctx.latest, scaled, ctx.lengths, of_scaled, into[2])
        return of_states, None, of_centre, of_embedded, None, None, None


@compiled
def _unit_rows(embedded: Any, rows: Any, out: Any, lengths: Any) -> None:
    one, shortest = out.dtype.type(1), out.dtype.type(SHORTEST)
    for i in range(len(rows)):
        row = rows[i]
        if row < 0 or row >= len(embedded):
            raise IndexError("a row is not one of the embedded")
        square = out.dtype.type(0)
        for j in range(out.shape[1]):
            square += embedded[row, j] * embedded[row, j]
        length = np.sqrt(square)
        lengths[i] = one / (shortest if length < shortest else length)
        for j in range(out.shape[1]):
            out[i, j] = embedded[row, j] * lengths[i]


@compiled
def _unit_rows_back(rows: Any, out: Any, lengths: Any, grad: Any, of_embedded: Any) -> None:
    one, shortest = out.dtype.type(1), out.dtype.type(SHORTEST)
    for i in range(len(rows)):
        row, along = rows[i], out.dtype.type(0)
        # A length that is cut off does not depend on the row.
        if lengths[i] * shortest < one:
            for j in range(out.shape[1]):
                along += grad[i, j] * out[i, j]
        for j in range(out.shape[1]):
            of_embedded[row, j] += (grad[i, j] - out[i, j] * along) * lengths[i]

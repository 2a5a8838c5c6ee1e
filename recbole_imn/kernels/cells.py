"""Update cells on one slot of one event, forward and backward, compiled.

The formulas, and the order of the gates, are those of :mod:`recbole_imn.stream.cells`. Loops
are short, and each sees few arrays from their first element on, for else the compiler
cannot tell that it may vectorise them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbole_imn.kernels.compiled import in_order
from recbole_imn.kernels.elementary import hyperbolic_tangent, logistic

Floats = NDArray[Any]
SIGMOID, TANH, GRU, LSTM, ATTENTION = range(5)
# What an input's score in attention loses with each later one.
AGE_SLOPE = 0.25


@in_order
def cell_forward(kind: int, pre: Floats, old: Floats, new: Floats) -> None:
    """Write a new state from pre-activations and the old state.

    Parameters
    ----------
    kind : int
        Number of the cell.
    pre : float [n_gates * d]
        Pre-activations; cells of several gates leave the activated gates there.
    old, new : float [n_parts * d]
    """
    one = pre.dtype.type(1)
    if kind == SIGMOID:
        for j in range(len(new)):
            new[j] = logistic(pre[j])
    elif kind == TANH:
        for j in range(len(new)):
            new[j] = hyperbolic_tangent(pre[j])
    elif kind == GRU:
        d = len(new)
        reset, update, candidate, own = pre[:d], pre[d : 2 * d], pre[2 * d : 3 * d], pre[3 * d :]
        _logistic_all(pre[: 2 * d])
        for j in range(d):
            candidate[j] = hyperbolic_tangent(candidate[j] + reset[j] * own[j])
        for j in range(d):
            new[j] = (one - update[j]) * candidate[j] + update[j] * old[j]
    elif kind == ATTENTION:
        _attend(pre, old, new)
    else:
        d = len(new) // 2
        enter, keep, leave, candidate = pre[:d], pre[d : 2 * d], pre[2 * d : 3 * d], pre[3 * d :]
        hidden, cell, old_cell = new[:d], new[d:], old[d:]
        _logistic_all(pre[: 3 * d])
        for j in range(d):
            candidate[j] = hyperbolic_tangent(candidate[j])
        for j in range(d):
            cell[j] = keep[j] * old_cell[j] + enter[j] * candidate[j]
        for j in range(d):
            hidden[j] = leave[j] * hyperbolic_tangent(cell[j])


@in_order
def _logistic_all(values: Floats) -> None:
    for j in range(len(values)):
        values[j] = logistic(values[j])


@in_order
def cell_backward(
    kind: int,
    gates: Floats,
    old: Floats,
    new: Floats,
    grad: Floats,
    grad_pre: Floats,
    grad_old: Floats,
) -> None:
    """Write the gradients of pre-activations; add those of the old state's own part.

    Parameters
    ----------
    kind : int
        Number of the cell.
    gates : float [n_gates * d]
        What :func:`cell_forward` left in ``pre``; cells of one gate do not look at it.
    old, new : float [n_parts * d]
    grad : float [n_parts * d]
        Gradients of the new state.
    grad_pre : float [n_gates * d]
        Receives the gradients of the pre-activations.
    grad_old : float [n_parts * d]
        Is added to.
    """
    one = new.dtype.type(1)
    if kind == SIGMOID:
        for j in range(len(new)):
            grad_pre[j] = grad[j] * (one - new[j]) * new[j]
    elif kind == TANH:
        for j in range(len(new)):
            grad_pre[j] = grad[j] * (one - new[j] * new[j])
    elif kind == GRU:
        d = len(new)
        _gated_backward(
            gates[:d],
            gates[d : 2 * d],
            gates[2 * d : 3 * d],
            gates[3 * d :],
            old,
            grad,
            grad_pre[:d],
            grad_pre[d : 2 * d],
            grad_pre[2 * d : 3 * d],
            grad_pre[3 * d :],
            grad_old,
        )
    elif kind == ATTENTION:
        _attend_backward(gates, new, grad, grad_pre, grad_old)
    else:
        d = len(new) // 2
        _long_short_backward(
            gates[:d],
            gates[d : 2 * d],
            gates[2 * d : 3 * d],
            gates[3 * d :],
            old[d:],
            new[d:],
            grad[:d],
            grad[d:],
            grad_pre[:d],
            grad_pre[d : 2 * d],
            grad_pre[2 * d : 3 * d],
            grad_pre[3 * d :],
            grad_old[d:],
        )


@in_order
def _attend(pre: Floats, old: Floats, new: Floats) -> None:
    """Take in a new value, drop the oldest, and write what the query finds among them."""
    d = len(pre) // 2
    query, value = pre[:d], pre[d:]
    for j in range(d):
        value[j] = hyperbolic_tangent(value[j])
    for j in range(d):
        new[d + j] = value[j]
    for j in range(2 * d, len(new)):
        new[j] = old[j - d]
    shares = _attention(query, new)
    hidden = new[:d]
    for j in range(d):
        hidden[j] = 0
    for k in range(len(shares)):
        kept = new[(k + 1) * d : (k + 2) * d]
        for j in range(d):
            hidden[j] += shares[k] * kept[j]


@in_order
def _attention(query: Floats, state: Floats) -> Floats:
    """Give the share of each kept value, newest first."""
    d = len(query)
    shares = np.empty(len(state) // d - 1, state.dtype)
    slope, scale = state.dtype.type(AGE_SLOPE), state.dtype.type(1 / np.sqrt(d))
    most = state.dtype.type(-np.inf)
    for k in range(len(shares)):
        kept, score = state[(k + 1) * d : (k + 2) * d], state.dtype.type(0)
        for j in range(d):
            score += query[j] * kept[j]
        shares[k] = score * scale - slope * k
        most = max(most, shares[k])
    total = state.dtype.type(0)
    for k in range(len(shares)):
        shares[k] = np.exp(shares[k] - most)
        total += shares[k]
    for k in range(len(shares)):
        shares[k] /= total
    return shares


@in_order
def _attend_backward(
    gates: Floats, new: Floats, grad: Floats, grad_pre: Floats, grad_old: Floats
) -> None:
    d = len(gates) // 2
    query, value, of_hidden = gates[:d], gates[d:], grad[:d]
    of_query, of_value = grad_pre[:d], grad_pre[d:]
    shares = _attention(query, new)
    along, mean = np.empty_like(shares), new.dtype.type(0)
    for k in range(len(shares)):
        kept, total = new[(k + 1) * d : (k + 2) * d], new.dtype.type(0)
        for j in range(d):
            total += of_hidden[j] * kept[j]
        along[k] = total
        mean += shares[k] * total
    scale, one = new.dtype.type(1 / np.sqrt(d)), new.dtype.type(1)
    for j in range(d):
        of_query[j] = 0
    for k in range(len(shares)):
        kept, arriving = new[(k + 1) * d : (k + 2) * d], grad[(k + 1) * d : (k + 2) * d]
        of_score = shares[k] * (along[k] - mean) * scale
        for j in range(d):
            of_query[j] += of_score * kept[j]
        # The newest is the value itself, the others were a place nearer before.
        into = of_value if k == 0 else grad_old[k * d : (k + 1) * d]
        for j in range(d):
            passed = arriving[j] + shares[k] * of_hidden[j] + of_score * query[j]
            into[j] = passed if k == 0 else into[j] + passed
    for j in range(d):
        of_value[j] *= one - value[j] * value[j]


@in_order
def _gated_backward(
    reset: Floats,
    update: Floats,
    candidate: Floats,
    own: Floats,
    old: Floats,
    grad: Floats,
    grad_reset: Floats,
    grad_update: Floats,
    grad_candidate: Floats,
    grad_own: Floats,
    grad_old: Floats,
) -> None:
    one = old.dtype.type(1)
    for j in range(len(old)):
        slope = one - candidate[j] * candidate[j]
        grad_candidate[j] = grad[j] * (one - update[j]) * slope
    for j in range(len(old)):
        grad_own[j] = grad_candidate[j] * reset[j]
    for j in range(len(old)):
        grad_reset[j] = grad_own[j] * own[j] * (one - reset[j])
    for j in range(len(old)):
        slope = update[j] * (one - update[j])
        grad_update[j] = grad[j] * (old[j] - candidate[j]) * slope
    for j in range(len(old)):
        grad_old[j] += grad[j] * update[j]


@in_order
def _long_short_backward(
    enter: Floats,
    keep: Floats,
    leave: Floats,
    candidate: Floats,
    old_cell: Floats,
    cell: Floats,
    grad_hidden: Floats,
    grad_cell: Floats,
    grad_enter: Floats,
    grad_keep: Floats,
    grad_leave: Floats,
    grad_candidate: Floats,
    grad_old_cell: Floats,
) -> None:
    one = cell.dtype.type(1)
    # The gradient of the new cell stays, for now, in the place of the candidate's.
    whole = grad_candidate
    for j in range(len(cell)):
        grad_leave[j] = grad_hidden[j] * leave[j]
        squashed = hyperbolic_tangent(cell[j])
        whole[j] = grad_cell[j] + grad_leave[j] * (one - squashed * squashed)
        grad_leave[j] *= squashed * (one - leave[j])
    for j in range(len(cell)):
        grad_enter[j] = whole[j] * candidate[j] * enter[j] * (one - enter[j])
    for j in range(len(cell)):
        grad_keep[j] = whole[j] * old_cell[j] * keep[j] * (one - keep[j])
    for j in range(len(cell)):
        grad_old_cell[j] += whole[j] * keep[j]
    for j in range(len(cell)):
        grad_candidate[j] = whole[j] * enter[j] * (one - candidate[j] * candidate[j])

"""Update cells on one slot of one event, forward and backward, compiled.

The formulas, and the order of the gates, are those of ``recbole_imn.stream.cells``. Loops
are short, each with few arrays, so that the compiler can see that they may be vectorised.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from recbole_imn.kernels.elementary import hyperbolic_tangent, logistic
from recbole_imn.kernels.tiles import in_order

Floats = NDArray[Any]
SIGMOID, TANH, GRU, LSTM = range(4)


@in_order
def cell_forward(
    kind: int, pre: Floats, i: int, at: int, buffer: Floats, old: int, new: int, d: int
) -> None:
    """Write the state of row ``new`` of the buffer from pre-activations and row ``old``.

    Parameters
    ----------
    kind : int
        Number of the cell.
    pre : float [n, at_least_at + n_gates * d]
        Row ``i`` holds, from ``at`` on, the pre-activations; left are activated gates.
    i, at : int
    buffer : float [n_rows, n_parts * d]
    old, new : int
        Rows of the buffer.
    d : int
        Width of a hidden state.
    """
    one = buffer.dtype.type(1)
    if kind == SIGMOID:
        for j in range(d):
            buffer[new, j] = logistic(pre[i, at + j])
    elif kind == TANH:
        for j in range(d):
            buffer[new, j] = hyperbolic_tangent(pre[i, at + j])
    elif kind == GRU:
        for j in range(at, at + 2 * d):
            pre[i, j] = logistic(pre[i, j])
        for j in range(at, at + d):
            candidate = pre[i, j + 2 * d] + pre[i, j] * pre[i, j + 3 * d]
            pre[i, j + 2 * d] = hyperbolic_tangent(candidate)
        for j in range(d):
            update, candidate = pre[i, at + d + j], pre[i, at + 2 * d + j]
            buffer[new, j] = (one - update) * candidate + update * buffer[old, j]
    else:
        for j in range(at, at + 3 * d):
            pre[i, j] = logistic(pre[i, j])
        for j in range(at + 3 * d, at + 4 * d):
            pre[i, j] = hyperbolic_tangent(pre[i, j])
        for j in range(d):
            kept = pre[i, at + d + j] * buffer[old, d + j]
            buffer[new, d + j] = kept + pre[i, at + j] * pre[i, at + 3 * d + j]
        for j in range(d):
            squashed = hyperbolic_tangent(buffer[new, d + j])
            buffer[new, j] = pre[i, at + 2 * d + j] * squashed


@in_order
def cell_backward(
    kind: int,
    gates: Floats,
    out: Floats,
    k: int,
    at: int,
    buffer: Floats,
    grad: Floats,
    old: int,
    new: int,
    d: int,
) -> None:
    """Write the gradients of pre-activations; add those of the old state's own part.

    Parameters
    ----------
    kind : int
        Number of the cell.
    gates : float [n, at_least_at + n_gates * d]
        What :func:`cell_forward` left in ``pre``; cells of one gate do not look at it.
    out : float [n, at_least_at + n_gates * d]
        Row ``k`` receives, from ``at`` on, the gradients of the pre-activations.
    k, at : int
    buffer, grad : float [n_rows, n_parts * d]
        States and their gradients; that of row ``old`` is added to.
    old, new : int
        Rows of the buffer.
    d : int
        Width of a hidden state.
    """
    one = buffer.dtype.type(1)
    if kind == SIGMOID:
        for j in range(d):
            out[k, at + j] = grad[new, j] * (one - buffer[new, j]) * buffer[new, j]
    elif kind == TANH:
        for j in range(d):
            out[k, at + j] = grad[new, j] * (one - buffer[new, j] * buffer[new, j])
    elif kind == GRU:
        b, c, e = at + d, at + 2 * d, at + 3 * d
        for j in range(d):
            candidate = gates[k, c + j]
            out[k, c + j] = grad[new, j] * (one - gates[k, b + j]) * (one - candidate * candidate)
        for j in range(d):
            out[k, e + j] = out[k, c + j] * gates[k, at + j]
        for j in range(d):
            out[k, at + j] = out[k, e + j] * gates[k, e + j] * (one - gates[k, at + j])
        for j in range(d):
            slope = gates[k, b + j] * (one - gates[k, b + j])
            out[k, b + j] = grad[new, j] * (buffer[old, j] - gates[k, c + j]) * slope
        for j in range(d):
            grad[old, j] += grad[new, j] * gates[k, b + j]
    else:
        b, c, e = at + d, at + 2 * d, at + 3 * d
        for j in range(d):
            squashed = hyperbolic_tangent(buffer[new, d + j])
            leave = gates[k, c + j]
            out[k, c + j] = grad[new, j] * squashed * leave * (one - leave)
            # The gradient of the new cell, for now in the place of another.
            through = grad[new, j] * leave * (one - squashed * squashed)
            out[k, e + j] = grad[new, d + j] + through
        for j in range(d):
            out[k, at + j] = out[k, e + j] * gates[k, e + j] * gates[k, at + j]
        for j in range(d):
            out[k, at + j] *= one - gates[k, at + j]
        for j in range(d):
            keep = gates[k, b + j]
            out[k, b + j] = out[k, e + j] * buffer[old, d + j] * keep * (one - keep)
        for j in range(d):
            grad[old, d + j] += out[k, e + j] * gates[k, b + j]
        for j in range(d):
            candidate = gates[k, e + j]
            out[k, e + j] *= gates[k, at + j] * (one - candidate * candidate)

"""The recursion of a window, forward and backward, as one compiled loop each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbole_imn.kernels.cells import cell_backward, cell_forward
from recbole_imn.kernels.compiled import in_order
from recbole_imn.kernels.tiles import TILE_ROWS, multiply

Floats = NDArray[Any]
Integers = NDArray[np.int64]


@in_order
def tile_stop(start: int, stop: int) -> int:
    """Give the end of the next tile of ``start <= i < stop``, of tiles about equally long."""
    left = stop - start
    n_tiles = (left + TILE_ROWS - 1) // TILE_ROWS
    return start + (left + n_tiles - 1) // n_tiles


@in_order
def recurrence_forward(
    kind: int,
    sources: Integers,
    order: Integers,
    sizes: Integers,
    inputs: Floats,
    weight: Floats,
    stride: int,
    panel_size: int,
    columns: int,
    buffer: Floats,
    gates: Floats,
    width: int,
) -> None:
    """Fill a buffer of states, level by level, a few events at once.

    Parameters
    ----------
    kind : int
        Number of the cell.
    sources : int64 [n, n_slots]
        Rows of the buffer that each event reads.
    order : int64 [n]
        Events by level.
    sizes : int64 [n_levels]
        Events of each level.
    inputs : float [n, n_slots * n_gates * d]
        Pre-activations without the states' part.
    weight, stride, panel_size, columns
        The matrix, as :func:`recbole_imn.kernels.tiles.multiply` takes it.
    buffer : float [n_initial + n * n_slots, n_parts * d]
        Its initial rows are filled.
    gates : float [n, n_slots * n_gates * d] or [0, 0]
        Receives the activated gates, if it has rows.
    width : int
        d, the width of a hidden state.
    """
    n_slots, n_columns = sources.shape[1], inputs.shape[1]
    n_gates, length = n_columns // (n_slots * width), n_slots * width
    n_initial = len(buffer) - len(sources) * n_slots
    hidden = np.empty(TILE_ROWS * length, buffer.dtype)
    n_panels = (n_columns + columns - 1) // columns
    pre = np.empty((TILE_ROWS, n_panels * columns), buffer.dtype)
    flat, offsets = pre.reshape(-1), np.arange(TILE_ROWS) * length
    begin = end = 0
    for size in sizes:
        end += size
        while begin < end:
            stop = tile_stop(begin, end)
            for i in range(stop - begin):
                for slot in range(n_slots):
                    row, at = sources[order[begin + i], slot], i * length + slot * width
                    for j in range(width):
                        hidden[at + j] = buffer[row, j]
            multiply(
                hidden, offsets, stop - begin, weight, stride, panel_size, columns, length,
                n_panels, flat,
            )  # fmt: skip
            for i in range(stop - begin):
                k = order[begin + i]
                for j in range(n_columns):
                    pre[i, j] += inputs[k, j]
                for slot in range(n_slots):
                    new, at = n_initial + k * n_slots + slot, slot * n_gates * width
                    own = pre[i, at : at + n_gates * width]
                    cell_forward(kind, own, buffer[sources[k, slot]], buffer[new])
                if len(gates) > 0:
                    for j in range(n_columns):
                        gates[k, j] = pre[i, j]
            begin = stop


@in_order
def recurrence_backward(
    kind: int,
    sources: Integers,
    order: Integers,
    sizes: Integers,
    transposed: Floats,
    columns: int,
    buffer: Floats,
    gates: Floats,
    grad: Floats,
    grad_inputs: Floats,
    width: int,
) -> None:
    """Pass the gradients of a buffer back to its initial rows and to the inputs.

    Parameters
    ----------
    kind, sources, order, sizes, buffer, gates, width
        As in :func:`recurrence_forward`.
    transposed : float [n_panels * n_slots * n_gates * d * columns]
        The transposed matrix, in panels of ``columns``.
    columns : int
    grad : float [n_initial + n * n_slots, n_parts * d]
        Gradients of the buffer, which receive what later events pass back.
    grad_inputs : float [n, n_slots * n_gates * d]
        Receives the gradients of the inputs.
    """
    n_slots, n_columns = sources.shape[1], grad_inputs.shape[1]
    n_gates, length = n_columns // (n_slots * width), n_slots * width
    n_initial = len(buffer) - len(sources) * n_slots
    n_panels = (length + columns - 1) // columns
    passed = np.empty((TILE_ROWS, n_panels * columns), buffer.dtype)
    flat, offsets = passed.reshape(-1), np.empty(TILE_ROWS, np.int64)
    given = grad_inputs.reshape(-1)
    end = len(order)
    for size in sizes[::-1]:
        begin, end = end - size, end - size
        while begin < end + size:
            stop = tile_stop(begin, end + size)
            for i in range(stop - begin):
                k = order[begin + i]
                offsets[i] = k * n_columns
                for slot in range(n_slots):
                    new, at = n_initial + k * n_slots + slot, slot * n_gates * width
                    old, own = sources[k, slot], slice(at, at + n_gates * width)
                    kept = gates[k, own] if len(gates) > 0 else buffer[new]
                    cell_backward(
                        kind, kept, buffer[old], buffer[new], grad[new],
                        grad_inputs[k, own], grad[old],
                    )  # fmt: skip
            multiply(
                given, offsets, stop - begin, transposed, columns, n_columns * columns, columns,
                n_columns, n_panels, flat,
            )  # fmt: skip
            for i in range(stop - begin):
                for slot in range(n_slots):
                    row, at = sources[order[begin + i], slot], slot * width
                    for j in range(width):
                        grad[row, j] += passed[i, at + j]
            begin = stop

"""Products of a few rows with a matrix, in which a row's bits know nothing of the others.

Libraries choose other code, which rounds differently, for other numbers of rows. Here each
output is one chain of multiply-adds over the inputs, first to last, whichever rows share
the loads of the matrix. The chain is written in LLVM's own language: a compiler that
vectorises loops by itself could order sums otherwise for one number of rows than for
another, and would keep no sums in registers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numpy.typing import NDArray

from recbole_imn.kernels.compiled import in_order

Floats = NDArray[Any]
Integers = NDArray[np.int64]

# The processor that numba compiles for, as its cache knows it.
WIDE = "+avx512f" in str(cpu_target.target_context.codegen().magic_tuple())
# Bytes of a vector register, vectors side by side, and rows of a tile: all their sums, the
# vectors of one matrix row and a broadcast input must fit in 32 registers, or 16.
VECTOR_BYTES = 64 if WIDE else 32
N_VECTORS = 4
TILE_ROWS = 6 if WIDE else 2
# Numbers in a line of memory, about.
LINE = 16


def panel_columns(itemsize: int) -> int:
    """Columns of a matrix that a tile works on at once, given the bytes of a number."""
    return N_VECTORS * VECTOR_BYTES // itemsize


def _emit(context: Any, builder: Any, signature: Any, values: Any, n_rows: int) -> None:
    """Write the loop of a tile: ``n_rows`` times ``N_VECTORS`` sums in registers."""
    arrays = [
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args[:4], values[:4], strict=True)
    ]
    inputs, offsets, matrix, out = (array.data for array in arrays)
    matrix_at, stride, out_at, out_stride, length = values[4:]
    scalar = context.get_data_type(signature.args[0].dtype)
    size = signature.args[0].dtype.bitwidth // 8
    lanes, index = VECTOR_BYTES // size, ir.IntType(64)
    vector, lane_index = ir.VectorType(scalar, lanes), ir.VectorType(ir.IntType(32), lanes)
    name = f"llvm.fmuladd.v{lanes}f{8 * size}"
    kind = ir.FunctionType(vector, [vector] * 3)
    multiply_add: Any = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]

    def pointer(base: Any, at: Any, vector_number: int) -> Any:
        at = builder.add(at, index(vector_number * lanes))
        return builder.bitcast(builder.gep(base, [at]), vector.as_pointer())

    rows = []
    for row in range(n_rows):
        offset = builder.load(builder.gep(offsets, [index(row)]))
        rows.append(builder.gep(inputs, [offset]))
    start = builder.basic_block
    head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
    builder.branch(head)
    builder.position_at_end(head)
    k, at = builder.phi(index), builder.phi(index)
    sums = [[builder.phi(vector) for _ in range(N_VECTORS)] for _ in range(n_rows)]
    builder.cbranch(builder.icmp_signed("<", k, length), body, end)
    builder.position_at_end(body)
    loaded = [builder.load(pointer(matrix, at, c), align=size) for c in range(N_VECTORS)]
    k.add_incoming(index(0), start)
    k.add_incoming(builder.add(k, index(1)), body)
    at.add_incoming(matrix_at, start)
    at.add_incoming(builder.add(at, stride), body)
    for row, row_sums in zip(rows, sums, strict=True):
        value = builder.load(builder.gep(row, [k]))
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, index(0))
        wide = builder.shuffle_vector(first, first, ir.Constant(lane_index, [0] * lanes))
        for total, part in zip(row_sums, loaded, strict=True):
            total.add_incoming(ir.Constant(vector, [0.0] * lanes), start)
            total.add_incoming(builder.call(multiply_add, [wide, part, total]), body)
    builder.branch(head)
    builder.position_at_end(end)
    for row, row_sums in enumerate(sums):
        begin = builder.add(out_at, builder.mul(index(row), out_stride))
        for c, total in enumerate(row_sums):
            builder.store(total, pointer(out, begin, c), align=size)


def _tile(n_rows: int) -> Any:
    """Make ``tile(inputs, offsets, matrix, out, matrix_at, stride, out_at, out_stride, length)``.

    It writes, for ``n_rows`` rows that start at ``offsets`` of the flat ``inputs``, their
    products with a panel of the matrix: ``length`` rows, ``stride`` apart from ``matrix_at``.
    """

    def tile(
        typing_context: Any,
        inputs: Any,
        offsets: Any,
        matrix: Any,
        out: Any,
        matrix_at: Any,
        stride: Any,
        out_at: Any,
        out_stride: Any,
        length: Any,
    ) -> Any:
        signature = types.void(inputs, offsets, matrix, out, *[types.int64] * 5)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _emit(context, builder, signature, values, n_rows)
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(tile)


_tile_1, _tile_2, _tile_3, _tile_4, _tile_5, _tile_6 = map(_tile, range(1, 7))


@in_order
def multiply(
    inputs: Floats,
    offsets: Integers,
    n_rows: int,
    matrix: Floats,
    stride: int,
    panel_size: int,
    columns: int,
    length: int,
    n_panels: int,
    out: Floats,
) -> None:
    """Write the products of 1 to 6 rows with a matrix to ``out``.

    Parameters
    ----------
    inputs : float [anything]
        Flat; ``length`` elements from each of ``offsets`` on are a row.
    offsets : int64 [at_least_n_rows]
    n_rows : int
    matrix : float [anything]
        Flat; panels lie ``panel_size`` apart, and rows of a panel ``stride``.
    stride, panel_size : int
    columns : int
        Columns of a panel, see :func:`panel_columns`.
    length : int
        Rows of the matrix.
    n_panels : int
    out : float [at_least_n_rows * n_panels * columns]
        Flat, and not ``inputs`` or ``matrix``.
    """
    width = n_panels * columns
    for panel in range(n_panels):
        at, begin = panel * panel_size, panel * columns
        if n_rows == 1:
            _tile_1(inputs, offsets, matrix, out, at, stride, begin, width, length)
        elif n_rows == 2:
            _tile_2(inputs, offsets, matrix, out, at, stride, begin, width, length)
        elif n_rows == 3:
            _tile_3(inputs, offsets, matrix, out, at, stride, begin, width, length)
        elif n_rows == 4:
            _tile_4(inputs, offsets, matrix, out, at, stride, begin, width, length)
        elif n_rows == 5:
            _tile_5(inputs, offsets, matrix, out, at, stride, begin, width, length)
        else:
            _tile_6(inputs, offsets, matrix, out, at, stride, begin, width, length)


@in_order
def transposed_panels(matrix: Floats, columns: int, out: Floats) -> None:
    """Write the panels of a transposed matrix, a few whole lines of memory at a time.

    Parameters
    ----------
    matrix : float [n_columns, length]
    columns : int
        Columns of a panel.
    out : float [n_panels * length * columns]
        Flat; places of missing columns are left as they are.
    """
    n_columns, length = matrix.shape
    for start in range(0, n_columns, columns):
        for first in range(0, length, LINE):
            for row in range(start, min(start + columns, n_columns)):
                for k in range(first, min(first + LINE, length)):
                    out[start * length + k * columns + row - start] = matrix[row, k]

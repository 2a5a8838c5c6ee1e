"""Ranges of one compiled loop side by side, on the threads that torch's own products use.

Torch keeps a team of threads (OpenMP) that wait awake between two of its products. A loop is
handed to that team: another one would have to be woken each time, and would fight torch's for
the same cores. Who does which range is a matter of luck, so a loop must write the same bits
whichever ranges it is done in.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident, main_thread
from typing import Any

import torch
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

Part = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
Launcher = ctypes.CFUNCTYPE(None, Part, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
# What compiled code calls; the name is kept in caches, an address could not be.
LAUNCHER = "recbole_imn_launch"
# Fewer rows take less time than it takes to wake a team.
FEWEST_ROWS = 64
INDEX = ir.IntType(64)
BYTES = ir.IntType(8).as_pointer()
# Places in what a team shares: next range, failures, ranges, elements; then the arguments.
NEXT, FAILED, N_RANGES, N_ELEMENTS, ARGUMENTS = range(5)


def _alone(part: Any, shared: Any, n_threads: int, flags: int) -> None:
    """Stand in for a team where torch has none that can be called: one thread does it all."""
    part(shared)


_launch_alone = Launcher(_alone)


def _launcher_address() -> int:
    """Give the address of the OpenMP library's function that starts a team, torch's library."""
    loaded = ctypes.CDLL(None) if os.name == "posix" else None
    function = getattr(loaded, "GOMP_parallel", _launch_alone)
    return ctypes.cast(function, ctypes.c_void_p).value or 0


binding.add_symbol(LAUNCHER, _launcher_address())


class _Process:
    """Whether this process was forked: a team does not survive that, and nobody would come."""

    forked = False

    @classmethod
    def begin(cls) -> None:
        """Remember it."""
        cls.forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Process.begin)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch, and with it our loops, compute with so many threads while the context lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(n: int) -> int:
    """Give how many threads a loop over rows may use.

    Parameters
    ----------
    n : int
        Number of rows.

    Returns
    -------
    int
        As many as torch uses. 1 for few rows, in a forked process, and on any but the main
        thread: whoever starts threads has work for all cores, and a team for each of them
        would be more threads than cores, which wait for each other.
    """
    if n < FEWEST_ROWS or _Process.forked or get_ident() != main_thread().ident:
        return 1
    return torch.get_num_threads()


def in_parallel(loop: Any) -> Any:
    """Make a function that calls a compiled loop for ranges of what it goes through.

    The function is called from compiled code, as ``function(threads, n, arguments)``: it calls
    ``loop(first, last, *arguments)`` for ranges that together are ``0 <= i < n``, side by side,
    one a thread, and ``loop(0, n, *arguments)`` where there is one thread. What a call
    writes, no other may read or write. What a call raises, the function raises; which
    elements are done then is not told.

    Parameters
    ----------
    loop : compiled function
        Of ``first``, ``last``, int, and further arguments; it gives nothing back.
    """

    def in_ranges(typing_context: Any, threads: Any, n: Any, arguments: Any) -> Any:
        given = types.int64, types.int64, *arguments
        called = typing_context.resolve_function_type(types.Dispatcher(loop), given, {})
        made = loop.get_compile_result(called)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            context.add_linking_libs([made.library])
            _emit(context, builder, made.fndesc, called, *values)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, arguments), generate

    return intrinsic(in_ranges)


def _emit(
    context: Any, builder: Any, loop: Any, called: Any, threads: Any, n: Any, packed: Any
) -> None:
    """Write a call of a loop by a team, or by one thread."""
    fewer = builder.icmp_signed("<", n, threads)
    n_ranges = builder.select(fewer, n, threads)
    kind = ir.LiteralStructType([INDEX] * ARGUMENTS + [packed.type])
    shared = cgutils.alloca_once(builder, kind)  # type: ignore[no-untyped-call]
    # As if one range had failed, which makes one thread do it all.
    for place, value in enumerate((INDEX(0), INDEX(1), n_ranges, n, packed)):
        builder.store(value, _place(builder, shared, place))
    with builder.if_then(builder.icmp_signed(">", n_ranges, INDEX(1))):
        builder.store(INDEX(0), _place(builder, shared, FAILED))
        part = _emit_part(context, builder.module, shared.type, loop, called)
        count = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [part.type, BYTES, count, count])
        launch: Any = cgutils.get_or_insert_function(builder.module, kind, LAUNCHER)  # type: ignore[no-untyped-call]
        size = builder.trunc(n_ranges, count)
        builder.call(launch, [part, builder.bitcast(shared, BYTES), size, count(0)])
    failed = builder.load(_place(builder, shared, FAILED))
    with builder.if_then(builder.icmp_signed("!=", failed, INDEX(0))):
        # What a thread of a team raises goes nowhere: here it is raised again.
        arguments = cgutils.unpack_tuple(builder, packed)  # type: ignore[no-untyped-call]
        context.call_internal(builder, loop, called, [INDEX(0), n, *arguments])


def _place(builder: Any, shared: Any, number: int) -> Any:
    return cgutils.gep_inbounds(builder, shared, 0, number)  # type: ignore[no-untyped-call]


def _emit_part(context: Any, module: Any, shared_type: Any, loop: Any, called: Any) -> Any:
    """Write what each thread of a team does: take ranges as long as there are any."""
    kind = ir.FunctionType(ir.VoidType(), [BYTES])
    part = ir.Function(module, kind, name=module.get_unique_name("part"))
    part.linkage = "internal"
    start, head, body, end = map(part.append_basic_block, ("start", "head", "body", "end"))
    builder = ir.IRBuilder(start)
    shared = builder.bitcast(part.args[0], shared_type)
    n_ranges, n, packed = (
        builder.load(_place(builder, shared, number))
        for number in (N_RANGES, N_ELEMENTS, ARGUMENTS)
    )
    arguments = cgutils.unpack_tuple(builder, packed)  # type: ignore[no-untyped-call]
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.atomic_rmw("add", _place(builder, shared, NEXT), INDEX(1), "seq_cst")
    builder.cbranch(builder.icmp_signed("<", k, n_ranges), body, end)
    builder.position_at_end(body)
    first, last = (
        builder.sdiv(builder.mul(number, n), n_ranges) for number in (k, builder.add(k, INDEX(1)))
    )
    status, _ = context.call_internal_no_propagate(builder, loop, called, [first, last, *arguments])
    failed = builder.zext(status.is_error, INDEX)
    builder.atomic_rmw("add", _place(builder, shared, FAILED), failed, "seq_cst")
    builder.branch(head)
    builder.position_at_end(end)
    builder.ret_void()
    return part

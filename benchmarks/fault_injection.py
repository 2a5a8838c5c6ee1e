"""A command in a forked process, with a fault at a step that it takes in the file system.

A step is a file opened for writing, a write, a sync, a rename, a removal, a folder made, or a
statement of a database, below the command's folder; those of the processes that it forks count
too. Faults strike at the n-th step, or after some seconds.
"""

from __future__ import annotations

import builtins
import ctypes
import errno
import io
import mmap
import os
import pathlib
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LIMIT = 90.0  # seconds after which a command hangs
ERRORS = {"full disk": errno.ENOSPC, "access denied": errno.EACCES, "disk error": errno.EIO}
SIGNALS = {"SIGTERM": signal.SIGTERM, "Ctrl-C": signal.SIGINT, "kill at a moment": signal.SIGKILL}
KILL = "kill at a step"
GROWING = ("open", "write", "mkdir", "fsync")
# RecBole's own logs are appended to and read by nobody.
LOGS = ("log", "log_tensorboard")


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Attributes
    ----------
    kind : str
        A key of ``ERRORS`` or ``SIGNALS``, or ``KILL``.
    step : int
        The step at which it does, from 1; 0 for signals.
    seconds : float
        When the signal comes, for signals.
    """

    kind: str
    step: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a command ended; a negative status is a signal, None that it had to be ended."""

    status: int | None
    out: str
    err: str
    steps: int
    seconds: float

    @property
    def is_line(self) -> bool:
        """Whether it was refused in one line."""
        lines = [line for line in self.err.splitlines() if line.startswith(("error: ", "failed: "))]
        return self.status in (1, 2) and bool(lines) and not self.has_traceback

    @property
    def has_traceback(self) -> bool:
        """Whether anybody saw a traceback."""
        return "Traceback (most recent call last)" in self.err


def run(command: Callable[[], int], folder: Path, fault: Fault | None = None) -> Outcome:
    """Run a command in a folder, in a process of its own, with a fault or without."""
    _adopt_orphans()
    counter = mmap.mmap(-1, 8)  # shared with the processes that are forked
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.monotonic()
        child = os.fork()
        if not child:
            os._exit(_child(command, folder, fault, counter, out.fileno(), err.fileno()))
        status = _wait(child, fault, start)
        seconds = time.monotonic() - start
        texts = [_text(file) for file in (out, err)]
    return Outcome(status, *texts, struct.unpack("q", counter[:8])[0], seconds)


def _child(command, folder, fault, counter, out: int, err: int) -> int:
    try:
        os.setsid()
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["faults"]
        steps = Steps(folder, fault, counter)
        steps.watch()
        # A disk refuses a database below Python, and not by errors of Python's.
        if fault is None or fault.kind not in ERRORS:
            steps.watch_databases()
        return command()
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()


def _wait(child: int, fault: Fault | None, start: float) -> int | None:
    """Wait for a process and all that it started, which must end with it."""
    status, is_due = None, fault is not None and fault.kind in SIGNALS
    while time.monotonic() - start < LIMIT:
        if is_due and time.monotonic() - start >= fault.seconds:
            is_due = False
            # A terminal sends Ctrl-C to all processes of the command.
            send = os.killpg if fault.kind == "Ctrl-C" else os.kill
            with suppress(ProcessLookupError):
                send(child, SIGNALS[fault.kind])
        try:
            ended, code = os.waitpid(-child, os.WNOHANG)
        except ChildProcessError:
            if status is not None:
                return status
            ended, code = os.waitpid(child, os.WNOHANG)  # it has no group of its own yet
        if ended == child:
            status = os.waitstatus_to_exitcode(code)
        elif not ended:
            time.sleep(0.002)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-child, 0)
    return None


def _adopt_orphans() -> None:
    """Let processes whose parent was killed become ours, so that their end can be seen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def _text(file) -> str:
    file.seek(0)
    return file.read()


class Steps:
    """Counts the steps of this process and its children, and lets the fault strike."""

    def __init__(self, folder: Path, fault: Fault | None, counter: mmap.mmap) -> None:
        self.folder, self.counter = str(folder.resolve()), counter
        self.fault = fault if fault and fault.step else None

    def watch(self) -> None:
        """Replace the functions that change files."""
        names = ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "fsync")
        for name in names:
            setattr(os, name, self._watched(name, getattr(os, name)))
        self._open = io.open
        io.open = builtins.open = self._watched_open
        # Python 3.10 keeps these functions for Path, as they were when it was imported.
        accessor = getattr(pathlib, "_NormalAccessor", None)
        if accessor:
            accessor.open = staticmethod(io.open)
            for name in (name for name in names if hasattr(accessor, name)):
                setattr(accessor, name, staticmethod(getattr(os, name)))

    def watch_databases(self) -> None:
        """Let statements of databases be steps."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", lambda *arguments: self.step("sql"))
        event.listen(Engine, "commit", lambda *arguments: self.step("sql"))

    def step(self, what: str, path: object = None, before: Callable[[], None] | None = None):
        """Count a step; at the fault's own, do what comes ``before`` and let it strike."""
        number = struct.unpack("q", self.counter[:8])[0] + 1
        self.counter[:8] = struct.pack("q", number)
        if self.fault is None or number < self.fault.step:
            return
        is_full = self.fault.kind == "full disk" and what in GROWING
        if number > self.fault.step and not is_full:
            return
        if self.fault.kind == KILL:
            if before:
                before()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault.kind != "full disk" or is_full:
            code = ERRORS[self.fault.kind]
            raise OSError(code, os.strerror(code), *([] if path is None else [str(path)]))

    def is_inside(self, path: object) -> bool:
        """Whether a path lies in the folder."""
        return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(self.folder)

    def _watched(self, name: str, function: Callable) -> Callable:
        def call(path, *arguments, **options):
            if name == "fsync":
                self.step(name)
            elif self.is_inside(path):
                self.step(name, path)
            return function(path, *arguments, **options)

        return call

    def _watched_open(self, file, mode="r", *arguments, **options):
        is_written = set(mode) & set("wax+") and self.is_inside(file)
        if is_written:
            self.step("open", file)
        opened = self._open(file, mode, *arguments, **options)
        is_log = os.path.relpath(file, self.folder).split(os.sep)[0] in LOGS if is_written else 0
        # Files that others append to must be files.
        return WatchedFile(opened, self) if is_written and not is_log and "w" in mode else opened


class WatchedFile:
    """A file whose writes are steps; half of one is written before a kill."""

    def __init__(self, file, steps: Steps) -> None:
        self._file, self._steps = file, steps
        self._writes = 0

    def write(self, data) -> int:
        """Write, or half of it."""
        self._writes += 1
        # Some files are written in thousands of pieces: the 1st, 2nd, 4th, 8th ... are steps.
        if self._writes & (self._writes - 1):
            return self._file.write(data)

        def half() -> None:
            self._file.write(data[: len(data) // 2])
            self._file.flush()

        self._steps.step("write", before=half)
        return self._file.write(data)

    def __getattr__(self, name: str):
        return getattr(self._file, name)

    def __enter__(self):
        self._file.__enter__()
        return self

    def __exit__(self, *error):
        return self._file.__exit__(*error)

    def __iter__(self):
        return iter(self._file)


class ForkingSubprocess:
    """Runs of a benchmark without the seconds that a new interpreter takes to import."""

    STDOUT = -2

    class Popen:
        """A forked process that takes its plan from a pipe, as a new one would."""

        def __init__(self, command, stdin, stdout, stderr) -> None:
            self._status = None
            sys.stdout.flush()
            self.pid = os.fork()
            if not self.pid:
                os._exit(self._run(command[3:], stdin, stdout))

        def _run(self, arguments, stdin, stdout) -> int:
            os.dup2(stdin.fileno(), 0)
            os.dup2(stdout.fileno(), 1)
            os.dup2(stdout.fileno(), 2)
            # Whatever else was open stays with the process that forked.
            os.closerange(3, 256)
            sys.stdin = open(0, closefd=False)  # noqa: SIM115
            sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115
            try:
                from recbole_imn.evaluation.benchmark.run import main

                return main(arguments)
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
                return 1
            finally:
                sys.stdout.flush()
                sys.stderr.flush()

        def poll(self):
            if self._status is None:
                ended, code = os.waitpid(self.pid, os.WNOHANG)
                self._status = os.waitstatus_to_exitcode(code) if ended else None
            return self._status

        def wait(self):
            if self._status is None:
                _, code = os.waitpid(self.pid, 0)
                self._status = os.waitstatus_to_exitcode(code)
            return self._status

        def kill(self) -> None:
            os.kill(self.pid, 9)

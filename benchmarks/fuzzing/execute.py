"""Running a case in a forked child, with spies, a time limit and a folder of its own."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzzing.case import Case, Result
from fuzzing.spies import install, seen

MARK = "PWNED"
Setup = Callable[[], None]


class Child:
    """A run that has begun.

    Parameters
    ----------
    case : Case
    folder : Path
        Empty; the run works in ``folder/work``.
    setup : callable, optional
        Done in the child before anything else; tests plant faults with it.
    """

    def __init__(self, case: Case, folder: Path, setup: Setup | None = None) -> None:
        self.case, self.folder = case, folder
        self.work = folder / "work"
        for name, content in case.files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_bytes(content)
        self.work.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
        with warnings.catch_warnings():
            # Libraries with threads warn of forks; theirs have not started yet.
            warnings.simplefilter("ignore")
            self.pid = os.fork()
        if self.pid == 0:
            _live(case, folder, self.work, setup)

    def poll(self) -> Result | None:
        """Give the result if the run has ended, or ran past its limit."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return self._result(os.waitstatus_to_exitcode(status))
        if time.monotonic() - self.started < self.case.limit:
            return None
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return self._result(-signal.SIGKILL, is_hanging=True)

    def _result(self, status: int, is_hanging: bool = False) -> Result:
        out, err = (
            (self.folder / name).read_text(encoding="utf-8", errors="replace")
            for name in ("out", "err")
        )
        file = self.folder / "seen"
        found = pickle.loads(file.read_bytes()) if file.exists() else {}
        return Result(status, out, err, found, self.work, is_hanging, self._outside())

    def _outside(self) -> list[str]:
        """Find files outside the working folder, and what executed text leaves."""
        expected = {"work", "out", "err", "seen"}
        strangers = [str(path.name) for path in self.folder.iterdir() if path.name not in expected]
        return strangers + [str(path) for path in self.work.rglob(f"{MARK}*")]


def _live(case: Case, folder: Path, work: Path, setup: Setup | None) -> None:
    """Do the run and end the process; never returns."""
    status = 70
    try:
        os.setpgid(0, 0)
        os.chdir(work)
        for name, number in (("out", 1), ("err", 2)):
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, number)
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        sys.argv = ["fuzz"]
        random.seed(0)
        install()
        if setup:
            setup()
        status = _call(case)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        (folder / "seen").write_bytes(pickle.dumps(seen))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _call(case: Case) -> int:
    from recbole_imn import __main__, command_line

    if case.door == "run":
        return command_line.main(case.arguments)
    if case.door == "command":
        return __main__.main(case.arguments)
    return _quick_start(case)


def _quick_start(case: Case) -> int:
    """Call RecBole's function; errors of the package are lines for people."""
    from recbole.quick_start import run_recbole

    options: dict[str, Any] = dict(argument.split("=", 1) for argument in case.arguments)
    try:
        run_recbole(**options, config_dict=case.config)
    except ValueError as error:
        if not type(error).__module__.startswith("recbole_imn"):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def remove(folder: Path) -> None:
    """Remove a folder, whatever rights the run left."""
    shutil.rmtree(folder, ignore_errors=True)

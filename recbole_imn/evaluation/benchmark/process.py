"""One run of a benchmark in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from recbole_imn import own_models
from recbole_imn.evaluation.benchmark.plan import Run

REASON_WIDTH = 300
SPACE = 1 << 16  # bytes


class Process:
    """A run that was begun; what it says goes to ``logs/NAME.txt``.

    It ends with this process, however that ends: when the pipe that told it what to run closes.

    Parameters
    ----------
    run : Run
    folder : Path
        Of the benchmark.
    at_a_time : int
        Runs that share the machine; each gets its part of the processors as threads, unless
        ``OMP_NUM_THREADS`` says how many.
    """

    def __init__(self, run: Run, folder: Path, at_a_time: int) -> None:
        self.run, self._folder = run, folder
        self._log = folder / "logs" / f"{run.name}.txt"
        module, own = "recbole_imn.evaluation.benchmark.run", own_models.import_names(run.model)
        command = [sys.executable, "-m", module, str(folder), str(at_a_time), *own]
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**_threads(at_a_time), **os.environ},
            )
        assert self._process.stdin is not None
        self._pipe = self._process.stdin
        # Where it has ended already, its exit status says enough.
        with suppress(BrokenPipeError):
            self._pipe.write(json.dumps(asdict(run)).encode() + b"\n")
            self._pipe.flush()

    def reason(self) -> str | None:
        """Give why it failed, in one line and empty if it did not; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        self._close()
        return "" if status == 0 else self._explained(status)

    def kill(self) -> None:
        """End it now, if it has not ended."""
        self._close()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _close(self) -> None:
        # What it did not read is still in the buffer where it has ended before.
        with suppress(BrokenPipeError):
            self._pipe.close()

    def _explained(self, status: int) -> str:
        text = self._log.read_text(encoding="utf-8", errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        # A full disk keeps no word of it.
        is_full = shutil.disk_usage(self._folder).free < SPACE
        full = ", and the disk is full" if is_full else ""
        last = lines[-1] if lines else f"exit status {status}, without a word{full}"
        if status < 0:
            last = f"ended by signal {-status}; out of memory? {last}"
        return f"{last[:REASON_WIDTH]} (all of it in {os.path.relpath(self._log)})"


def _threads(at_a_time: int) -> dict[str, str]:
    """Give each run its part of the processors; alone, it has what its libraries take."""
    if at_a_time == 1:
        return {}
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // at_a_time))}

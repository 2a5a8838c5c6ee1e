"""Conducting a plan: what is finished is kept, what fails loses nobody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import FileIO
from pathlib import Path

from tqdm import tqdm

from recbole_imn import own_models
from recbole_imn.checkpoints.sealed import run_of
from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.evaluation.benchmark.results import read_result
from recbole_imn.files import make_folder
from recbole_imn.scratch import sweep

REASON_WIDTH = 300
SPACE = 1 << 16  # bytes


def conduct(runs: Sequence[Run], folder: Path) -> dict[str, str]:
    """Execute the runs that are not finished, each in a process of its own.

    Parameters
    ----------
    runs : sequence of Run
    folder : Path
        Results go to ``runs/``, what the processes say to ``logs/``, checkpoints to
        ``saved/`` in it.

    Returns
    -------
    dict of str to str
        Names of failed runs and, in one line, why.
    """
    for name in ("runs", "logs"):
        make_folder(folder / name)
        sweep(folder / name)
    waiting = [run for run in runs if not _is_finished(run, folder)]
    failures = {}
    description = f"{len(runs) - len(waiting)} of {len(runs)} runs were finished"
    with tqdm(waiting, desc=description, unit="run", disable=not waiting) as progress:
        for run in progress:
            progress.set_postfix_str(run.name)
            reason = _execute(run, folder)
            if reason:
                failures[run.name] = reason
                progress.write(f"{run.name} failed: {reason}", file=sys.stderr)
    return failures


def _is_finished(run: Run, folder: Path) -> bool:
    """Whether the result of a run is there; what it left to go on from is then removed."""
    result = read_result(run, folder)
    if result is None:
        return False
    checkpoint = Path(result["checkpoint"])
    if checkpoint.is_file():
        for ending in ("state", "lock"):
            for file in checkpoint.parent.glob(f"*-{run_of(checkpoint)}.{ending}"):
                file.unlink()
    return True


def _execute(run: Run, folder: Path) -> str:
    """Execute a run and give the reason of its failure, empty if there is none."""
    log = folder / "logs" / f"{run.name}.txt"
    module, own = "recbole_imn.evaluation.benchmark.run", own_models.import_names(run.model)
    command = [sys.executable, "-m", module, str(folder), *own]
    with log.open("w", encoding="utf-8") as output, _pipe() as (reader, writer):
        process = subprocess.Popen(command, stdin=reader, stdout=output, stderr=subprocess.STDOUT)
        try:
            reader.close()
            # Where it has ended already, its exit status says enough.
            with suppress(BrokenPipeError):
                writer.write(json.dumps(asdict(run)).encode() + b"\n")
            status = process.wait()
        finally:
            # After Ctrl-C no run goes on unseen.
            if process.poll() is None:
                process.kill()
                process.wait()
    if status == 0:
        return ""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    # A full disk keeps no word of it.
    full = ", and the disk is full" if shutil.disk_usage(folder).free < SPACE else ""
    last = lines[-1] if lines else f"exit status {status}, without a word{full}"
    if status < 0:
        last = f"ended by signal {-status}; out of memory? {last}"
    return f"{last[:REASON_WIDTH]} (all of it in {os.path.relpath(log)})"


@contextmanager
def _pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """Make a pipe to a process, which ends when this end of it closes, however that comes."""
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as here, open(writer, "wb", buffering=0) as there:
        yield here, there

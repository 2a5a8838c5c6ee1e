"""Conducting a plan: what is finished is kept, what fails loses nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from recbole_imn import own_models
from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.files import replaced

REASON_WIDTH = 300


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
        (folder / name).mkdir(parents=True, exist_ok=True)
    waiting = [run for run in runs if not is_finished(run, folder)]
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


def is_finished(run: Run, folder: Path) -> bool:
    """Whether a result of the same configuration and data is there."""
    result = read_result(run, folder)
    ranks = folder / "runs" / f"{run.name}.parquet"
    return result is not None and result["identity"] == run.identity and ranks.is_file()


def read_result(run: Run, folder: Path) -> dict[str, Any] | None:
    """Read the result file of a run, whatever its configuration; None without one."""
    file = folder / "runs" / f"{run.name}.json"
    if not file.is_file():
        return None
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return result


def _execute(run: Run, folder: Path) -> str:
    """Execute a run and give the reason of its failure, empty if there is none."""
    plan, log = folder / "logs" / f"{run.name}.plan.json", folder / "logs" / f"{run.name}.txt"
    with replaced(plan) as file:
        file.write_text(json.dumps(asdict(run), indent=1), encoding="utf-8")
    module = "recbole_imn.evaluation.benchmark.run"
    own = own_models.import_names(run.model)
    command = [sys.executable, "-m", module, str(plan), str(folder), *own]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            status = process.wait()
        finally:
            # After Ctrl-C no run goes on unseen.
            if process.poll() is None:
                process.kill()
                process.wait()
    if status == 0:
        return ""
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    last = lines[-1] if lines else f"exit status {status}, without a word"
    if status < 0:
        last = f"ended by signal {-status}; out of memory? {last}"
    return f"{last[:REASON_WIDTH]} (all of it in {os.path.relpath(log)})"

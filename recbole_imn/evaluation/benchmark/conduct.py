"""Conducting a plan: what is finished is kept, what fails loses nobody else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import sleep

from tqdm import tqdm

from recbole_imn.checkpoints.sealed import run_of
from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.evaluation.benchmark.process import Process
from recbole_imn.evaluation.benchmark.results import read_result
from recbole_imn.files import make_folder
from recbole_imn.scratch import sweep

LOOK_EVERY = 0.05  # seconds


def conduct(runs: Sequence[Run], folder: Path, at_a_time: int = 1) -> dict[str, str]:
    """Execute the runs that are not finished, each in a process of its own.

    Parameters
    ----------
    runs : sequence of Run
    folder : Path
        Results go to ``runs/``, what the processes say to ``logs/``, checkpoints to
        ``saved/`` in it.
    at_a_time : int
        Runs side by side.

    Returns
    -------
    dict of str to str
        Names of failed runs, in the order of the plan, and, in one line, why.
    """
    for name in ("runs", "logs"):
        make_folder(folder / name)
        sweep(folder / name)
    waiting = [run for run in runs if not _is_finished(run, folder)]
    running: list[Process] = []
    reasons: dict[str, str] = {}
    with tqdm(
        total=len(runs),
        initial=len(runs) - len(waiting),
        desc="benchmark",
        unit="run",
        disable=not waiting,
    ) as progress:
        try:
            while waiting or running:
                while waiting and len(running) < at_a_time:
                    running.append(Process(waiting.pop(0), folder, at_a_time))
                progress.set_postfix_str(", ".join(process.run.name for process in running))
                for process, reason in _next_to_end(running):
                    running.remove(process)
                    progress.update()
                    if reason:
                        reasons[process.run.name] = reason
                        progress.write(f"{process.run.name} failed: {reason}", file=sys.stderr)
        finally:
            # After Ctrl-C no run goes on unseen.
            for process in running:
                process.kill()
    return {run.name: reasons[run.name] for run in runs if run.name in reasons}


def _next_to_end(running: Sequence[Process]) -> list[tuple[Process, str]]:
    """Wait until a run ends, and give those that have, with their reasons."""
    while True:
        reasons = [(process, process.reason()) for process in running]
        ended = [(process, reason) for process, reason in reasons if reason is not None]
        if ended:
            return ended
        sleep(LOOK_EVERY)


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

"""Tune every model on every log with one budget, two programs at a time with a thread each.

    python benchmarks/tune_all.py --datasets retailrocket=DIR jodie_wikipedia=DIR czb=atomic_files

Settings go to tuned/DATASET/MODEL.yaml, what the programs say to MODEL.log beside it. A program
that is stopped at any moment goes on with the same command: trials are kept, and what was spent
counts. Models that learn nothing and have no settings are left out. Exit status 1 if one failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.ablation import Data
from recbole_imn.evaluation.benchmark.plan import all_models
from recbole_imn.files import make_folder
from recbole_imn.settings_files import read_any_settings
from recbole_imn.tuning.command import MINUTES, TRAIN_EVENTS, VALID_ROWS
from recbole_imn.tuning.space import can_be_tuned

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
TELL_EVERY = 60.0  # seconds


@dataclass(frozen=True)
class Job:
    """A model to be tuned on a log."""

    model: str
    data: Data

    @property
    def name(self) -> str:
        return f"{self.model} on {self.data.name}"

    def command(self, options: argparse.Namespace) -> list[str]:
        named = ("minutes", "train_events", "valid_rows", "trials", "seed", "out", "config_files")
        given = {name: getattr(options, name) for name in named}
        own = {"model": self.model, "dataset": self.data.name, "data_path": self.data.folder.parent}
        settings = [f"--{name}={value}" for name, value in {**own, **given}.items()]
        return [sys.executable, "-m", "recbole_imn", "tune", *settings]

    def result(self, options: argparse.Namespace) -> Path:
        return options.out / self.data.name / f"{self.model}.yaml"

    def spent(self, options: argparse.Namespace) -> float:
        """Minutes that finished trials have taken, at most those of the budget."""
        return min(self.told(options).get("seconds_spent", 0.0) / 60, options.minutes)

    def told(self, options: argparse.Namespace) -> dict[str, Any]:
        """What the file of settings says of the search, if there is one."""
        file = self.result(options)
        if not file.is_file():
            return {}
        return read_any_settings(file).get("tuning") or {}

    def run(self, options: argparse.Namespace, stop: Event) -> str:
        """Tune, and give the reason of a failure, empty if there is none."""
        if stop.is_set():
            return "not begun"
        log = self.result(options).with_suffix(".log")
        make_folder(log.parent)
        with log.open("a", encoding="utf-8") as output:
            environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": search_path()}
            process = subprocess.Popen(
                self.command(options), stdout=output, stderr=subprocess.STDOUT, env=environment
            )
            try:
                while process.poll() is None:
                    if stop.wait(0.5):
                        process.terminate()
            finally:
                process.wait()
        return "" if process.returncode == 0 else f"exit status {process.returncode}, see {log}"


def search_path() -> str:
    """Let programs find the package of this tree first."""
    return os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])


def main() -> int:
    options = parse()
    jobs = plan(options)
    stop, failures = Event(), {}
    begin, before = time.monotonic(), sum(job.spent(options) for job in jobs)
    print(f"{len(jobs)} jobs of {options.minutes:g} minutes, {options.processes} at a time")
    with ThreadPoolExecutor(options.processes) as pool:
        running: dict[Future[str], Job] = {pool.submit(job.run, options, stop): job for job in jobs}
        try:
            while running:
                ended, _ = wait(running, TELL_EVERY, FIRST_COMPLETED)
                for future in ended:
                    job = running.pop(future)
                    reason = future.result()
                    failures |= {job.name: reason} if reason else {}
                    show(job, reason, options)
                if running:
                    progress(jobs, running, options, before, begin)
        except KeyboardInterrupt:
            stop.set()
            print(
                "interrupted; finished trials are kept: the same command goes on", file=sys.stderr
            )
            return 130
    for name, reason in failures.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return 1 if failures else 0


def show(job: Job, reason: str, options: argparse.Namespace) -> None:
    """Say how a job ended."""
    if reason:
        print(f"{job.name}: FAILED, {reason}", flush=True)
        return
    told = job.told(options)
    scores = " -> ".join(f"{told[name] or float('nan'):.4f}" for name in ("default", "best"))
    minutes = told["seconds_spent"] / 60
    trials = f"{told['trials']} trials in {minutes:.1f} minutes"
    print(f"{job.name}: {told['metric']} {scores}, {trials}", flush=True)


def progress(
    jobs: list[Job],
    running: dict[Future[str], Job],
    options: argparse.Namespace,
    before: float,
    begin: float,
) -> None:
    """Say what is left, by the pace so far; before there is one, by the budget."""
    left = sum(options.minutes - job.spent(options) for job in running.values())
    done = sum(job.spent(options) for job in jobs) - before
    elapsed = (time.monotonic() - begin) / 60
    # Minutes of the clock that a minute of the budget takes.
    pace = elapsed / done if done > options.minutes else 1 / options.processes
    finished = f"{len(jobs) - len(running)} of {len(jobs)} jobs done"
    print(f"{finished}, about {left * pace:.0f} minutes left", file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--datasets", nargs="+", type=Data.parse, required=True, metavar="NAME=PARENT")
    add("--models", help="names with commas between (default: all of the benchmark)")
    add("--minutes", type=float, default=MINUTES)
    add("--train_events", type=int, default=TRAIN_EVENTS)
    add("--valid_rows", type=int, default=VALID_ROWS)
    add("--trials", type=int, default=200, help="at most, for each")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2)
    add("--out", type=Path, default=Path("tuned"))
    add("--config_files", default="", help="settings that are not searched")
    return parser.parse_args()


def plan(options: argparse.Namespace) -> list[Job]:
    """Give what is to be tuned, log by log, models in the order of the benchmark."""
    jobs = []
    for data in options.datasets:
        models = all_models(data.name, data.folder)
        if options.models:
            models = [name.strip() for name in options.models.split(",") if name.strip()]
        left_out = [model for model in models if not can_be_tuned(model)]
        if left_out:
            print(f"nothing to tune on {data.name}: {', '.join(left_out)}")
        jobs += [Job(model, data) for model in models if model not in left_out]
    return jobs


if __name__ == "__main__":
    # Also where a shell in the background has switched Ctrl-C off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())

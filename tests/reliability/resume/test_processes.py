"""Processes that are killed or interrupted, and runs inside a benchmark."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import recbole_imn
from recbole_imn import command_line
from recbole_imn.evaluation.benchmark.plan import Conditions, make_run
from recbole_imn.evaluation.benchmark.run import execute
from recbole_imn.provenance import fingerprint
from recbole_imn.trainer import IMNNetTrainer
from tests.reliability.resume.stopping import EPOCHS, OFTEN, WINDOW, Stop, stop_at

ARGUMENTS = [
    "--model=IMNNet",
    "--dataset=toy",
    "--data_path=.",
    "--epochs=4",
    "--embedding_size=8",
    "--train_batch_size=40",
    "--topk=[5]",
    "--valid_metric=NDCG@5",
    "--show_progress=False",
    f"--resume_minutes={OFTEN}",
]
PROGRAM = Path(recbole_imn.__file__).parents[1] / "run_recbole_imn.py"


def wait_for_work():
    """Wait until another process has kept some states more."""
    seen = {file.stat().st_mtime_ns for file in Path("saved").glob("*.state")}
    enough = len(seen) + 5
    while len(seen) < enough:
        for file in Path("saved").glob("*.state"):
            with suppress(FileNotFoundError):
                seen.add(file.stat().st_mtime_ns)
        time.sleep(0.002)


def figures(text):
    """Give the figures of the test, and no names of files."""
    return [line for line in text.splitlines() if re.match(r"\w+@5 ", line)]


def test_a_killed_process_and_an_interrupted_one_go_on(toy, capsys):
    assert command_line.main(ARGUMENTS) == 0
    expected = figures(capsys.readouterr().out)
    arguments = ARGUMENTS
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for number in (signal.SIGKILL, signal.SIGINT):
        command = [sys.executable, str(PROGRAM), *arguments]
        process = subprocess.Popen(command, env=environment, cwd=toy, stderr=subprocess.PIPE)
        wait_for_work()
        process.send_signal(number)
        _, said = process.communicate()
        assert process.returncode == (130 if number == signal.SIGINT else -number)
        arguments = [*ARGUMENTS, "--resume"]
    begin, _, command = said.decode().splitlines()[-1].partition(": ")
    python, *words = shlex.split(command)
    assert begin == "interrupted; go on with"
    assert words == [str(PROGRAM), *ARGUMENTS, "--resume"]
    # Pasted, it starts the same Python.
    prefix = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True)
    assert prefix.stdout.decode().strip() == sys.prefix
    assert command_line.main(arguments) == 0
    assert figures(capsys.readouterr().out) == expected


def test_a_benchmark_goes_on_inside_a_run(toy, monkeypatch):
    small = {"use_gpu": False, "embedding_size": 8, "train_batch_size": WINDOW}
    data = fingerprint(toy / "toy", "toy")
    run = make_run("IMNNet", 1, Conditions("toy", toy / "toy", data, EPOCHS, "all", small))
    results = []
    for name, stop in (("whole", None), ("stopped", (IMNNetTrainer, "_valid_epoch", 2))):
        folder = toy / name
        if stop:
            with monkeypatch.context() as patch:
                stop_at(patch, *stop)
                with pytest.raises(Stop):
                    execute(run, folder)
            assert not list(folder.glob("runs/*.json"))
            assert list(folder.glob("saved/IMNNet-1/*.state"))
        execute(run, folder)
        assert not list(folder.glob("saved/IMNNet-1/*.state"))
        results.append(json.loads((folder / "runs" / "IMNNet-1.json").read_text()))
    whole, stopped = results
    for key in ("protocols", "validation", "epochs", "curve"):
        assert stopped[key] == whole[key]

"""Processes that end before the others, and what people read of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import STATE, read_sealed
from recbole_imn.distributed import ending
from recbole_imn.processes.group import Group, Member, _Run
from tests.conftest import random_rows, write_log
from tests.distributed.launch import launch

RUN = Path(__file__).parents[2] / "run_recbole_imn.py"
OPTIONS = (
    "--model=IMNNet", "--dataset=toy", "--data_path=.", "--use_gpu=False", "--epochs=100000",
    "--stopping_step=100000", "--embedding_size=8", "--show_progress=False", "--topk=[5]",
    "--valid_metric=NDCG@5",
)  # fmt: skip


class Store:
    """Counts who tells."""

    def __init__(self) -> None:
        self.told = 0

    def add(self, key: str, n: int) -> int:
        self.told += n
        return self.told


def wait_for(what, seconds: float = 900.0):
    """Wait until there is something, and give it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def process_of_rank(parent: int, rank: int) -> int | None:
    """Find a process that torchrun has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            child = int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent
            if child and f"RANK={rank}" in (folder / "environ").read_text().split("\0"):
                return int(folder.name)
        except OSError:
            continue
    return None


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")
def test_a_killed_process_ends_all_with_one_line(tmp_path: Path) -> None:
    write_log(tmp_path, "toy", random_rows())
    run = launch(tmp_path, RUN, *OPTIONS)
    saved = tmp_path / "saved"
    wait_for(lambda: run.poll() is not None or list(saved.glob("*.pth")))
    assert run.poll() is None, run.communicate()
    os.kill(wait_for(lambda: process_of_rank(run.pid, 1)), signal.SIGKILL)
    _, errors = run.communicate(timeout=900)
    assert run.returncode != 0
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, errors
    assert "process 1 of 2" in lines[0]
    (state,) = saved.glob("*.state")
    assert f"{saved.name}/{state.name} is whole" in lines[0]
    # The only traceback is of torchrun itself, which tells of processes that have failed.
    assert errors.count("Traceback") == 1
    assert "ChildFailedError" in errors
    read_sealed(state, STATE)
    for checkpoint in saved.glob("*.pth"):
        assert load_checkpoint(checkpoint)["epoch"] >= 0


def test_of_several_that_fail_one_tells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(os, "_exit", lambda status: pytest.fail(f"ends with {status}"))
    store = Store()
    for rank in (1, 0):
        monkeypatch.setattr(_Run, "group", Group(rank, 2, (), store))
        with pytest.raises(pytest.fail.Exception, match="ends with 1"):
            ending.end_by("error: x")
    assert capsys.readouterr().err == "error: x\n"


def test_one_process_alone_tells_and_ends_as_ever() -> None:
    assert ending.first_to_tell()
    assert ending.together(lambda: 3) == 3


def test_a_process_that_is_gone_is_found() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    here = "here"
    group = Group(0, 2, (Member(0, os.getpid(), here), Member(1, child.pid, here)))
    assert ending._first_gone(group) is None
    child.kill()
    # It is one that nobody has waited for at first.
    wait_for(lambda: ending._first_gone(group) is not None, 60)
    child.wait()
    assert ending._first_gone(group).rank == 1
    child.stdin.close()


def test_processes_of_other_machines_are_not_looked_for() -> None:
    group = Group(0, 2, (Member(0, os.getpid(), "here"), Member(1, 2**22 + 1, "there")))
    assert ending._first_gone(group) is None


@pytest.mark.parametrize("command", ["tune", "benchmark"])
def test_other_commands_are_of_one_process(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert ending.refuse_several(command) == 2
    assert not capsys.readouterr().err
    monkeypatch.setenv("RANK", "0")
    assert ending.refuse_several(command) == 2
    assert capsys.readouterr().err.startswith(f"error: {command} works in one process; ")

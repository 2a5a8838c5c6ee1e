"""Runs of a benchmark as processes, with small programs in place of trainings."""

import shutil

import pytest

from recbole_imn.evaluation.benchmark import process
from recbole_imn.evaluation.benchmark.conduct import conduct
from recbole_imn.evaluation.benchmark.plan import Run

RUNS = [Run("FPMC", "toy", seed, {"data_path": "."}, ("all",), "", "", {}) for seed in (1, 2, 3)]
# $3 and $4 of `python -m MODULE FOLDER AT_A_TIME`.
MEETING = """#!/bin/sh
read plan
touch $3/met.$$
for look in $(seq 600); do
    if [ $(ls $3 | grep -c met) -ge 2 ]; then
        echo "$4 at a time, threads: ${OMP_NUM_THREADS-any}"
        exit 7
    fi
    sleep 0.05
done
echo alone
exit 8
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a shell script in place of Python; give the function that does."""

    def put(text):
        file = tmp_path / "program"
        file.write_text(text)
        file.chmod(0o755)
        monkeypatch.setattr(process.sys, "executable", str(file))

    return put


def test_a_run_that_fails_tells_its_last_line(tmp_path, monkeypatch, program):
    monkeypatch.setattr(process.sys, "executable", shutil.which("false"))
    (reason,) = conduct(RUNS[:1], tmp_path).values()
    assert reason.startswith("exit status 1, without a word")
    program("#!/bin/sh\necho first\necho last\necho\nexit 3\n")
    (reason,) = conduct(RUNS[:1], tmp_path).values()
    assert reason.startswith("last (all of it in ")
    program("#!/bin/sh\necho begun\nkill -9 $$\n")
    (reason,) = conduct(RUNS[:1], tmp_path).values()
    assert reason.startswith("ended by signal 9; out of memory? begun")


def test_runs_go_side_by_side_and_share_the_processors(tmp_path, monkeypatch, program):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(process.os, "cpu_count", lambda: 8)
    program(MEETING)
    failures = conduct(RUNS, tmp_path, at_a_time=2)
    # In the order of the plan, and none of the first two was alone.
    assert list(failures) == ["FPMC-1", "FPMC-2", "FPMC-3"]
    for reason in failures.values():
        assert reason.startswith("2 at a time, threads: 4 (all of it in ")


def test_what_the_environment_says_of_threads_holds(tmp_path, monkeypatch, program):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    program("#!/bin/sh\necho $OMP_NUM_THREADS\nexit 1\n")
    (reason,) = conduct(RUNS[:1], tmp_path, at_a_time=2).values()
    assert reason.startswith("3 (")

"""The fuzzer notices planted faults, finds none that is not there, and repeats itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KINDS = ["inter", "convert", "settings", "arguments"]
EXPECTED = {
    "good log": ("fine", ""),
    "good table": ("fine", ""),
    "drop a row": ("silently wrong", "events of"),
    "shift a time": ("silently wrong", "time of event"),
    "swap items": ("silently wrong", "item of event"),
    "invert purchases": ("silently wrong", "purchase of event"),
    "scale a feature": ("silently wrong", "image of the numbers in weight"),
    "swallow an error": ("silently wrong", "accepted, though fz.inter, line"),
    "name another line": ("unclear line", "names none of"),
    "raise by accident": ("traceback", "KeyError"),
    "raise a raw text": ("unclear line", "a raw exception"),
    "refuse everything": ("silently wrong", "good input was refused"),
    "never end": ("hang", "no end"),
    "execute": ("silently wrong", "executed"),
    "leave the folder": ("silently wrong", "elsewhere"),
    "ignore a setting": ("silently wrong", "temperature is 7.5"),
    "lose a converted row": ("silently wrong", "events of"),
    "shift converted times": ("silently wrong", "time of event 0"),
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own: it forks, and this process may have threads."""
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list[str]]:
    done = run("tests/reliability/planted.py")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", EXPECTED)
def test_planted_faults_are_noticed(verdicts, name):
    outcome, reason = verdicts[name]
    assert outcome == EXPECTED[name][0], reason
    assert EXPECTED[name][1] in reason


def test_all_kinds_end_well_and_the_same_seed_gives_the_same_runs():
    done = run("benchmarks/fuzz.py", "--runs=40", "--seed=7")
    assert done.returncode == 0, done.stdout + done.stderr
    table = [line.split() for line in done.stdout.splitlines() if line]
    assert [row[0] for row in table if row[0] in KINDS] == KINDS
    assert next(row for row in table if row[0] == "all")[-4:] == ["0", "0", "0", "0"]

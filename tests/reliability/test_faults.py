"""A few faults of every kind; ``python benchmarks/faults.py`` injects hundreds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are adopted on Linux only")
def test_no_command_loses_anything_or_gets_stuck(tmp_path):
    found = subprocess.run(
        [sys.executable, "-W", "ignore", ROOT / "benchmarks" / "faults.py", "--quick"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert " faults in " in found.stdout.splitlines()[-1]

"""A compiled loop is not taken from the cache when a loop that it calls has changed."""

import subprocess
import sys
from pathlib import Path

import recbole_imn.kernels.ordered as ordered

CALLED = """
from .ordered import in_order

@in_order
def called(x):
    return x + {}
"""
CALLING = """
from .called import called
from .ordered import in_order

@in_order
def calling(x):
    return called(x)
"""


PROGRAM = """
from loops.calling import calling

print(calling(1), sum(calling.stats.cache_hits.values()))
"""


def result(folder: Path) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=folder, capture_output=True, text=True, check=True
    )
    value, hits = done.stdout.split()
    return int(value), int(hits)


def test_a_change_of_a_called_loop_is_seen(tmp_path):
    loops = tmp_path / "loops"
    loops.mkdir()
    (loops / "__init__.py").touch()
    (loops / "ordered.py").write_text(Path(ordered.__file__).read_text())
    (loops / "calling.py").write_text(CALLING)
    (loops / "called.py").write_text(CALLED.format(1))
    assert result(tmp_path) == (2, 0)
    assert result(tmp_path) == (2, 1)
    (loops / "called.py").write_text(CALLED.format(10))
    assert result(tmp_path) == (11, 0)

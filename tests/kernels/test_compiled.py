"""What is kept of compiled loops is never stale, mixed up, or needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import IndexDataCacheFile

from recbole_imn.kernels import compiled

CALLED = """
from loops.kernels.compiled import in_order

@in_order
def called(x):
    return x + {}
"""
CALLING = """
from loops.{}.called import called
from loops.kernels.compiled import compiled

@compiled
def calling(x):
    return called(x)
"""
PROGRAM = """
from loops.past.calling import calling

print(calling({}), sum(calling.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path):
    """A package with loops in two folders, as recbole_imn has them."""
    for folder in ("", "kernels", "past"):
        (tmp_path / "loops" / folder).mkdir()
        (tmp_path / "loops" / folder / "__init__.py").touch()
    source = Path(compiled.__file__).read_text()
    (tmp_path / "loops" / "kernels" / "compiled.py").write_text(source)
    return tmp_path / "loops"


def write(package, folder, added):
    (package / folder / "called.py").write_text(CALLED.format(added))
    (package / "past" / "calling.py").write_text(CALLING.format(folder))


def start(package, value=1, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(value)],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": "", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def result(package, value=1, **environment):
    """What the loop gives, and how often it was taken from the cache."""
    output, _ = start(package, value, **environment).communicate()
    given, hits = output.split()
    return float(given), int(hits)


@pytest.mark.parametrize("folder", ["kernels", "past"])
def test_a_change_of_a_called_loop_is_seen(package, folder):
    write(package, folder, 1)
    assert result(package) == (2, 0)
    assert result(package) == (2, 1)
    write(package, folder, 10)
    assert result(package) == (11, 0)


def test_processes_that_compile_at_once_keep_what_each_has_compiled(package):
    write(package, "kernels", 1)
    values = [1, 1.5, 1, 1.5]
    running = [start(package, value) for value in values]
    given = [process.communicate()[0].split() for process in running]
    assert [float(value) for value, _ in given] == [2, 2.5, 2, 2.5]
    assert [result(package, value) for value in values] == [(2, 1), (2.5, 1)] * 2


def test_a_damaged_file_is_compiled_anew(package):
    write(package, "kernels", 1)
    result(package)
    for file in (package / "past" / "__pycache__").glob("calling*.nbc"):
        file.write_bytes(file.read_bytes()[:100])
    assert result(package) == (2, 0)
    assert result(package) == (2, 1)


def test_nothing_needs_to_be_written(package):
    write(package, "kernels", 1)
    # Folders that cannot be made, as below a file: whoever tests may write anywhere else.
    (package / "past" / "__pycache__").write_text("")
    (package / "kernels" / "__pycache__").write_text("")
    nowhere = str(package / "past" / "calling.py")
    for _ in range(2):
        assert result(package, HOME=nowhere, XDG_CACHE_HOME=nowhere) == (2, 0)


def test_a_full_disk_costs_no_result(package, monkeypatch):
    write(package, "kernels", 1)
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setattr(IndexDataCacheFile, "_save_data", _full)
    from loops.past.calling import calling

    assert calling(1) == 2


def _full(*arguments):
    raise OSError(28, "No space left on device")

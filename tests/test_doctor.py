"""The self-check names what is wrong and what to do."""

import os
import sys

import pytest

from recbole_imn import compat, doctor


def test_a_sound_machine_needs_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert doctor.main() == 0
    text = capsys.readouterr().out
    assert text.rstrip().endswith("all is well")
    for word in (
        "python",
        "recbole ",
        "torch",
        "threads",
        "folder ./",
        "folder saved/",
        "can be made",
    ):
        assert word in text
    for mend in compat.applied():
        assert mend.upstream in text


def test_a_folder_that_cannot_be_written_is_reported(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved").write_text("a file where a folder should be")
    assert doctor.main() == 1
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if "folder saved/" in line)
    assert lines[place].startswith("!")
    assert str(tmp_path / "saved") in lines[place + 1]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores are counted otherwise")
def test_more_threads_than_cores_are_reported(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    monkeypatch.setattr(doctor.torch, "get_num_threads", lambda: 8)
    finding = next(found for found in doctor.examine() if found.subject == "threads")
    assert finding.state == "8 on 1 cores"
    assert "OMP_NUM_THREADS=1" in finding.remedy


def test_slowness_does_not_prevent_running(monkeypatch, capsys):
    slow = doctor.Finding("threads", "8 on 1 cores", "fewer threads", prevents_running=False)
    monkeypatch.setattr(doctor, "examine", lambda: [slow])
    assert doctor.main() == 0
    assert capsys.readouterr().out.rstrip().endswith("1 to mend")
    assert doctor.report([slow]).startswith("! threads")


@pytest.mark.parametrize(
    ("package", "found", "remedy"),
    [
        ("torch", "2.13.0+cpu", ""),
        ("torch", "2.5.1", "torch>=2.6"),
        ("pandas", "1.5.3", "pandas>=2.2"),
        ("recbole", "1.2.0", "recbole==1.2.1"),
        ("ray", "1.0", ""),
    ],
)
def test_versions_that_are_too_old_are_reported(package, found, remedy, monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: found)
    assert remedy in doctor._package_remedy(package)
    assert bool(doctor._package_remedy(package)) == bool(remedy)


@pytest.mark.parametrize(
    ("found", "wrong"), [((3, 10), False), ((3, 13), False), ((3, 14), False), ((3, 9), True)]
)
def test_the_python_version_is_checked(found, wrong):
    assert bool(doctor._python_remedy(found)) == wrong


def test_a_pyarrow_that_wants_another_numpy_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    finding = next(found for found in doctor.examine() if found.subject == "pyarrow")
    assert "numpy>=2" in finding.remedy

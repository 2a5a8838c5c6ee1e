"""Records of where a result comes from."""

import subprocess

import pytest

from recbole_imn.errors import DataError
from recbole_imn.provenance import commit, environment, fingerprint, versions
from tests.conftest import write_log

ROWS = [("u1", "i1", 1, "view", 0), ("u1", "i2", 2, "view", 0)]


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_fingerprint_is_of_bytes_not_of_places(tmp_path):
    first = write_log(tmp_path / "a", "log", ROWS) / "log"
    second = write_log(tmp_path / "b", "log", ROWS) / "log"
    assert fingerprint(first, "log") == fingerprint(second, "log")
    assert len(fingerprint(first, "log")) == len("sha256:") + 64
    (second / "log.market.json").write_text("{}")  # no atomic file
    assert fingerprint(first, "log") == fingerprint(second, "log")


def test_a_fingerprint_sees_every_atomic_file(tmp_path):
    folder = write_log(tmp_path, "log", ROWS) / "log"
    seen = {fingerprint(folder, "log")}
    (folder / "log.item").write_text("item_id:token\ni1\n")
    seen.add(fingerprint(folder, "log"))
    (folder / "log.item").rename(folder / "log.user")
    seen.add(fingerprint(folder, "log"))
    text = (folder / "log.inter").read_text()
    (folder / "log.inter").write_text(text.replace("i2", "i3"))
    seen.add(fingerprint(folder, "log"))
    assert len(seen) == 4


def test_missing_data_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"gone\.inter does not exist"):
        fingerprint(tmp_path, "gone")


def test_the_commit_of_a_folder(tmp_path):
    assert commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    source = tmp_path / "source"
    source.mkdir()
    (source / "code.py").write_text("1\n")
    assert commit(source) is None  # in a repository, but no part of it
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    clean = commit(source)
    assert len(clean) == 40
    (source / "code.py").write_text("2\n")
    assert commit(source) == f"{clean}-dirty"


def test_no_commit_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit(tmp_path) is None


def test_the_environment_names_commit_and_versions():
    found = environment()
    assert found["recbole"] == "1.2.1"
    assert set(found) >= {"commit", "python", "torch", "machine"}


def test_a_package_that_is_not_installed_is_named_without_a_version():
    assert versions(("no_such_package",))["no_such_package"] == "not installed"

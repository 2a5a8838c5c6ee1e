"""Fingerprints, and files that are whole or not there."""

import pytest

from recbole_imn.evaluation.provenance import environment, fingerprint, replaced


def test_the_fingerprint_is_that_of_the_atomic_files(tmp_path):
    (tmp_path / "toy.inter").write_text("a")
    first = fingerprint(tmp_path, "toy")
    (tmp_path / "toy.market.json").write_text("not data")
    assert fingerprint(tmp_path, "toy") == first
    (tmp_path / "toy.item").write_text("b")
    second = fingerprint(tmp_path, "toy")
    assert second != first
    # The same bytes in other files are other data.
    (tmp_path / "toy.item").rename(tmp_path / "toy.user")
    assert fingerprint(tmp_path, "toy") not in (first, second)


def test_the_environment_names_commit_and_versions():
    found = environment()
    assert found["recbole"] == "1.2.1"
    assert set(found) >= {"commit", "python", "torch", "machine"}


def test_a_broken_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")

    def break_off():
        with replaced(path) as file:
            file.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]
    assert path.read_text() == "old"
    with replaced(path) as file:
        file.write_text("new")
    assert path.read_text() == "new"

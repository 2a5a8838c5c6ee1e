"""Files that are whole or not there."""

import pytest

from recbole_imn.files import replaced


def break_off(path):
    with replaced(path) as file:
        file.write_text("half")
        raise RuntimeError


def test_a_broken_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        break_off(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]
    assert path.read_text() == "old"
    with replaced(path) as file:
        file.write_text("new")
    assert path.read_text() == "new"

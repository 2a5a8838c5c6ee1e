"""Files that are whole or not there."""

import pytest

from recbole_imn.files import read_yaml, replaced


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


def test_a_key_that_stands_twice_is_refused_with_its_lines(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("topk: [5]\nload_col:\n  inter: [a]\n  inter: [b]\n")
    with pytest.raises(ValueError, match=r"settings.yaml .*line 4: 'inter' stands in line 3"):
        read_yaml(path, ValueError)


def test_merged_keys_may_be_set_anew(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n")
    assert read_yaml(path, ValueError)["other"] == {"a": 1, "b": 3}
    deep = "a: &x\n  <<: &y {c: 1}\n  c: 2\nb: {<<: *x}\n"
    path.write_text(f"first:\n  {deep.replace(chr(10), chr(10) + '  ').rstrip()}\n")
    assert read_yaml(path, ValueError)["first"]["a"] == {"c": 2}
    path.write_text(f"one:\n  {deep.replace(chr(10), chr(10) + '  ').rstrip()}\nb: 1\nb: 2\n")
    with pytest.raises(ValueError, match="'b' stands in line"):
        read_yaml(path, ValueError)

"""Attributes of every kind in exports of all formats."""

import pandas as pd
import pytest

from recbole_imn.serving.lists import Lists
from tests.serving.commands.conftest import read

FORMATS = ["parquet", "csv", "jsonl"]
TOLD = {
    "flag": [True, None, False],
    "long": [2**60, None, 1],
    "huge": [2**70, None, 1],
    "mixed": [2**60 + 1, 0.5, None],
    "either": [True, 2, "x"],
    "number": [2**53, 0.5, None],
}


@pytest.mark.parametrize("form", FORMATS)
def test_attributes_of_any_kind_are_written(command, shop, tmp_path, form):
    told, file = shop.recommender(), tmp_path / f"lists.{form}"
    told.add_items({"item": ["n1", "n2", "n3"], **TOLD})
    told.save(shop.file)
    (tmp_path / "users").write_text("somebody\n")
    names = ",".join(TOLD)
    options = [f"--format={form}", f"--users={tmp_path / 'users'}", "--k=9999"]
    assert command("export", *options, f"--attributes={names}", f"--output={file}").status == 0
    found = pd.read_csv(file, dtype=str) if form == "csv" else read(file)
    found = found.set_index("item").loc[["n1", "n2", "n3"]]
    assert [str(cell).lower() for cell in found["flag"]][::2] == ["true", "false"]
    assert [str(cell) for cell in found["huge"]][::2] == [str(2**70), "1"]
    assert [str(cell) for cell in found["mixed"]][:2] == [str(2**60 + 1), "0.5"]
    assert [str(cell) for cell in found["either"]] == ["True", "2", "x"]
    assert [float(cell) for cell in found["number"]][:2] == [2**53, 0.5]


def test_an_attribute_that_no_file_can_hold_is_named_before_lists_are_made(
    command, shop, tmp_path, monkeypatch
):
    told = shop.recommender()
    told.add_items({"item": ["n1"], "title": ["\ud800"]})
    told.save(shop.file)
    monkeypatch.setattr(Lists, "rank", None)
    done = command("export", "--attributes=title", f"--output={tmp_path / 'lists.parquet'}")
    assert (done.status, "attribute 'title' cannot be written" in done.err) == (2, True)

"""Parquet, JSON lines and mappings, whose values have types."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.data.convert import engine
from recbole_imn.data.convert.item_files import Extras
from recbole_imn.data.convert.table import read_table
from tests.reliability.convert.asking import NAMED, START, events
from tests.reliability.convert.drawing import IDS, NOTES

# --- parquet and JSON lines -------------------------------------------------------------------


def test_parquet_is_read_where_it_is_mapped(shop):
    moments = pl.Series([datetime(2020, 1, 1, 10, 0, 0, 5)] * 3)
    frame = pl.DataFrame(
        {
            "u": [1.0, None, 3.0],
            "i": pl.Series(["x", "y", "z"], dtype=pl.Categorical),
            "t": moments.dt.replace_time_zone("Asia/Tokyo"),
            "p": [True, False, None],
            "tags": [[1], [2], [3]],
            "blob": [b"\xff", b"", None],
            "cost": pl.Series(["1.50", "2.25", "3.00"]).cast(pl.Decimal(10, 2)),
            "day": [date(2020, 1, 1)] * 3,
        }
    )  # fmt: skip
    path = shop.folder / "log.parquet"
    frame.write_parquet(path)
    mapping = shop.write("m.yaml", "event_columns: {cost: {column: cost, type: float}}")
    options = ("--purchase-column=p", "--max-bad=0.7", f"--mapping={mapping}")
    shop.convert("csv", path, *NAMED, *options)
    assert events(shop) == [("1", "x", "3600.000005", "1", "1.50")]
    assert [kind for _, kind, _ in shop.rejected()] == ["empty id", "purchase flag"]
    line = shop.fail("csv", path, NAMED[0], "--item=tags", NAMED[2])
    assert "column 'tags' holds List(Int64), not single values" in line
    shop.convert("csv", path, *NAMED[:2], "--time=day", "--max-bad=0.7")
    assert len(shop.rows()) == 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"u": IDS, "t": st.integers(0, 50), "meta": st.fixed_dictionaries({"i": IDS})},
            optional={"note": NOTES, "tags": st.lists(IDS, max_size=2), "x": st.none()},
        ),
        min_size=1,
        max_size=20,
    )
)
def test_json_lines_are_read_by_key_and_path(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("log")
    (folder / "log.jsonl").write_text("\n".join(json.dumps(row) for row in drawn) + "\n\n")
    columns = {"user_id": "u", "item_id": "meta.i", "timestamp": "t"}
    source = read_table("csv", [folder / "log.jsonl"], {"columns": columns}, Extras())
    job = engine.convert(source, folder, "set")
    expected = sorted(drawn, key=lambda row: row["t"])
    written = (folder / "set" / "set.inter").read_text(encoding="utf-8").split("\n")[1:-1]
    assert [tuple(line.split("\t")) for line in written] == [
        (row["u"].strip(), row["meta"]["i"].strip(), str(row["t"])) for row in expected
    ]
    assert job.counts.rows == job.counts.events == len(drawn)


def test_lines_that_are_no_objects_and_values_that_are_nested_are_bad_rows(shop):
    good = json.dumps({"u": 12345678901234567890, "i": "x", "t": START + 0.25})
    many = "\n".join([good] * 100_000)
    path = shop.write("log.jsonl", f'{many}\n[1]\n{{"u": \n{{"u": {{}}, "i": [1], "t": 5}}\n')
    shop.convert("csv", path, *NAMED)
    kinds = [kind for _, kind, _ in shop.rejected()]
    assert kinds == ["no JSON object", "no JSON object", "nested value"]
    assert events(shop)[0] == ("12345678901234567890", "x", "0.25")


@pytest.mark.parametrize("text", ['[{"u": 1}]', '[\n{"u": 1}\n]', '{\n  "u": 1\n}'])
def test_json_of_another_shape_is_one_line(shop, text):
    line = shop.fail("csv", shop.write("log.json", text), *NAMED)
    assert "is JSON, but not an object a line" in line


# --- mappings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("purchases: 3", "purchases is 3; it must be the name of an action or a list of names"),
        ("purchases: [true]", "purchases"),
        ("columns: [a]", "columns is ['a']; it must be a list of NAME: VALUE"),
        ("columns: {user_id: 1.5}", "columns.user_id is 1.5; it must be a name"),
        ("columns: {user_id: true}", "columns.user_id is True; it must be a name"),
        ("columns: {user_id: 0}", "columns.user_id is 0; it must be a name"),
        ("columns: {timestamp: [a, b, c]}", "several columns of a time are two"),
        ("header: maybe", "header is 'maybe'; it must be true, false or auto"),
        ("time_zone: 5", "time_zone is 5; it must be text"),
        ("separator: 3", "separator is 3; it must be one character or several"),
        ("quoting: single", "quoting is 'single'; it must be one of 'double' or 'none'"),
        ("encoding: [a]", "encoding is ['a']; it must be text"),
        ("behaviors: {1: [a]}", "behaviors[1] is ['a']; it must be text or a whole number"),
        ("items: 3", "items is 3; it must be a list of NAME: VALUE"),
        ("items: {colums: {}}", "unknown key 'items.colums'; did you mean columns?"),
        ("item_columns: {new: {type: time}}", "item_columns.new.type is 'time'"),
    ],
)
def test_a_mapping_of_wrong_types_is_one_line(shop, text, message):
    path = shop.write("log.csv", "u,i,t\na,x,5\n")
    assert message in shop.fail("csv", path, f"--mapping={shop.write('m.yaml', text)}")


def test_a_name_that_two_columns_have_is_refused(shop):
    path = shop.write("log.csv", "u,i,t,u\na,x,5,b\n")
    assert "2 columns are called 'u'" in shop.fail("csv", path, *NAMED)


def test_a_file_that_is_named_twice_is_refused(shop):
    path = shop.write("log.csv", "u,i,t\na,x,5\n")
    assert "is named twice" in shop.fail("csv", path, f"--input={Path(path)}", *NAMED)


@pytest.mark.parametrize("kind", ["spelling", "link", "hard link"])
def test_a_file_under_another_name_is_the_same_file(shop, kind):
    path = shop.write("log.csv", "u,i,t\na,x,5\n")
    other = shop.folder / "other.csv"
    if kind == "spelling":
        other = shop.folder / "." / ".." / shop.folder.name / "log.csv"
    elif kind == "link":
        other.symlink_to(path)
    else:
        other.hardlink_to(path)
    line = shop.fail("csv", path, f"--input={other}", *NAMED)
    assert f"{other} is named twice, also as {path}; its rows would be read twice" in line


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "idna", "cp037", "undefined"])
def test_an_encoding_that_tables_are_not_read_in_is_refused(shop, encoding):
    path = shop.write("log.csv", "u,i,t\na,x,5\n")
    line = shop.fail("csv", path, *NAMED, f"--encoding={encoding}")
    assert f"{path}: tables are not read in the encoding {encoding!r}; leave out" in line


def test_lengths_of_time_in_parquet_are_no_damage(shop):
    path = shop.folder / "log.parquet"
    lengths = pl.Series([timedelta(seconds=5), timedelta(hours=1)])
    frame = pl.DataFrame({"u": ["a", "b"], "i": ["x", "y"], "t": [5, 6], "spent": lengths})
    frame.write_parquet(path)
    assert "2 events written" in shop.convert("csv", path, *NAMED)
    line = shop.fail("csv", path, *NAMED[:2], "--time=spent")
    assert f"{path}: column 'spent' holds lengths of time, neither times nor numbers; write" in line
    items = frame.select(item="i", spent="spent")
    items.write_parquet(shop.folder / "items.parquet")
    printed = shop.convert("csv", path, *NAMED, f"--items={shop.folder / 'items.parquet'}")
    assert "spent (lengths of time in its cells)" in printed

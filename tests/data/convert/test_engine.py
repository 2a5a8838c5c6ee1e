"""Checks, order and replacement of files, whatever the source."""

import json
import zipfile

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.__main__ import main
from recbole_imn.data.convert import engine, items, output, rows, sorting

OPTIONS = ("--user=who", "--item=what", "--time=when", "--behavior=did", "--purchase=buy")
HEADER = "who,what,when,did\n"
GOOD = "a,x,5,view\nb,y,3,buy\na,y,5,view\n"


def packed(shop):
    path = shop.folder / "log.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.csv", HEADER + GOOD)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (HEADER.encode(), "a header but no rows"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, not a text table; unpack it first"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page, perhaps the error page"),
        (HEADER.encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"who\0what", "is a binary file"),
        (packed, "is a zip archive, not a text table"),
    ],
)
def test_a_file_that_is_no_table_is_one_line(shop, content, message):
    path = shop.write("log.csv", content(shop) if callable(content) else content)
    assert message in shop.fail("csv", path, *OPTIONS)
    assert shop.files() == {}


def test_a_missing_file_and_a_folder_are_named(shop):
    assert "gone.csv: no such file" in shop.fail("csv", shop.folder / "gone.csv", *OPTIONS)
    assert "is a folder" in shop.fail("csv", shop.folder, *OPTIONS)


BAD = {
    "column count": b"a,x,5",
    "quoting": b'"a,x,5,view',
    "encoding": b"\xff,x,5,view",
    "control character": b"a,x\ty,5,view",
    "empty id": b" ,x,5,view",
    "time": b"a,x,noon,view",
    "unknown action": b"a,x,5,",
}


def test_bad_rows_are_counted_shown_and_written_down(shop):
    text = (HEADER + GOOD).encode() + b"".join(row + b"\n" for row in BAD.values())
    printed = shop.convert("csv", shop.write("log.csv", text), *OPTIONS, "--max-bad=0.7")
    expected = [(5 + place, kind) for place, kind in enumerate(BAD)]
    assert [(line, kind) for line, kind, _ in shop.rejected()] == expected
    assert shop.rejected()[0][2] == "a,x,5"
    assert shop.rejected()[2][2] == "\ufffd,x,5,view"
    for line, kind in expected:
        assert f"1 bad rows ({kind}), the first in log.csv, line {line}: " in printed
    assert shop.about()["bad_rows"] == dict.fromkeys(sorted(BAD), 1)
    assert len(shop.rows()) == 3


def test_blank_lines_and_carriage_returns_are_no_rows(shop):
    text = "\ufeff" + (HEADER + GOOD).replace("\n", "\r\n") + "\r\n\r\na,z,9,view"
    shop.convert("csv", shop.write("log.csv", text), *OPTIONS)
    assert [row["item_id"] for row in shop.rows()] == ["y", "x", "y", "z"]
    assert shop.about()["counts"]["rows"] == 4


def test_too_many_bad_rows_leave_earlier_files_alone(shop):
    shop.convert("csv", shop.write("log.csv", HEADER + GOOD), *OPTIONS)
    before = shop.files()
    broken = shop.write("log.csv", HEADER + GOOD + "a,x,noon,view\n")
    line = shop.fail("csv", broken, *OPTIONS)
    assert "1 of 4 rows are bad (time 1), more than --max-bad=0.001" in line
    assert "log.csv, line 5: 'a,x,noon,view'" in line
    after = shop.files()
    assert after.pop("set.rejected.csv") == b'file,line,kind,row\nlog.csv,5,time,"a,x,noon,view"\n'
    assert after == before
    # The next good run removes the list of bad rows.
    shop.convert("csv", shop.write("log.csv", HEADER + GOOD), *OPTIONS)
    assert shop.files() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_run_that_breaks_off_leaves_earlier_files_alone(shop, monkeypatch, error):
    path = shop.write("log.csv", HEADER + GOOD)
    shop.convert("csv", path, *OPTIONS)
    before = shop.files()

    def break_off(*arguments):
        raise error

    monkeypatch.setattr(output, "_tied", break_off)
    arguments = ["convert", "csv", f"--input={path}", "--name=set", f"--output={shop.output}"]
    status = main([*arguments, *OPTIONS])
    assert status == (130 if error is KeyboardInterrupt else 2)
    message = shop.capsys.readouterr().err.splitlines()[-1]
    assert message in (
        "interrupted; nothing was written",
        f"error: {shop.output / 'set'}: No space left on device; free some space there, then "
        "give the same command again",
    )
    assert shop.files() == before


def test_a_simulated_market_is_not_overwritten(shop):
    (shop.output / "set").mkdir(parents=True)
    (shop.output / "set" / "set.market.json").write_text("{}")
    line = shop.fail("csv", shop.write("log.csv", HEADER + GOOD), *OPTIONS)
    assert "holds the simulated market 'set'; choose another --name" in line


@pytest.mark.parametrize("suffix", ["inter", "item"])
def test_files_made_by_hand_are_not_replaced(shop, suffix):
    path = shop.write("log.csv", HEADER + GOOD)
    if suffix == "item":
        shop.convert("csv", path, *OPTIONS)
    (shop.output / "set").mkdir(parents=True, exist_ok=True)
    (shop.output / "set" / f"set.{suffix}").write_text("by hand")
    (shop.output / "set" / "set.user").write_text("by hand")
    before = shop.files()
    line = shop.fail("csv", path, *OPTIONS)
    assert f"set.{suffix} was made by no conversion, and would be replaced" in line
    assert shop.files() == before
    (shop.output / "set" / f"set.{suffix}").unlink()
    shop.convert("csv", path, *OPTIONS)
    assert (shop.output / "set" / "set.user").read_text() == "by hand"


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b"])
def test_a_name_must_be_plain(shop, name):
    path = shop.write("log.csv", HEADER + GOOD)
    assert "it must be a plain name" in shop.fail("csv", path, *OPTIONS, name=name)


def test_the_same_input_gives_the_same_bytes(shop):
    path = shop.write("log.csv", HEADER + GOOD)
    shop.convert("csv", path, *OPTIONS)
    before = shop.files()
    shop.convert("csv", path, *OPTIONS)
    assert shop.files() == before
    about = json.loads(before["set.source.json"])
    assert about["inputs"][0]["file"] == "log.csv"
    assert len(about["outputs"]["set.inter"]["sha256"]) == 64


def test_several_inputs_are_one_log(shop):
    first = shop.write("one.csv", HEADER + "a,x,5,view\n")
    second = shop.write("two.csv", HEADER + "b,x,5,view\na,y,1,view\n")
    shop.convert("csv", first, f"--input={second}", *OPTIONS)
    assert [row["user_id"] for row in shop.rows()] == ["a", "a", "b"]


GOOD_ROW = st.tuples(
    st.sampled_from(["a", "b", "c", 'quo"te', "com,ma"]),
    st.sampled_from(["x", "y", "é"]),
    st.integers(0, 6),
    st.sampled_from(["view", "buy"]),
)
BAD_ROW = st.sampled_from(sorted(BAD))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(GOOD_ROW, BAD_ROW), min_size=1, max_size=40), st.integers(1, 60))
def test_every_good_row_arrives_once_in_order_and_every_bad_row_is_counted(
    tmp_path_factory, drawn, block
):
    good = [row for row in drawn if isinstance(row, tuple)]
    bad = [row for row in drawn if isinstance(row, str)]
    folder = tmp_path_factory.mktemp("log")
    # The last row goes without a line end.
    text = b"\n".join(BAD[row] if isinstance(row, str) else quoted(row) for row in drawn)
    (folder / "log.csv").write_bytes(HEADER.encode() + b"a,first,0,view\n" + text)
    mapping = {"columns": {"user_id": "who", "item_id": "what", "timestamp": "when"}}
    mapping["columns"]["behavior"] = "did"
    mapping["purchases"] = ["buy"]
    with pytest.MonkeyPatch.context() as patch:
        # Many small runs and ranges instead of one.
        patch.setattr(rows, "BLOCK_BYTES", 60 + block)
        patch.setattr(sorting, "RANGE_ROWS", 4)
        patch.setattr(sorting, "SAMPLE_STEP", 2)
        from recbole_imn.data.convert.item_files import Extras
        from recbole_imn.data.convert.table import read_table

        source = read_table("csv", [folder / "log.csv"], mapping, Extras())
        job = engine.convert(source, folder, "set", max_bad=1)
    written = (folder / "set" / "set.inter").read_text(encoding="utf-8").split("\n")[1:-1]
    found = [tuple(line.split("\t")) for line in written]
    expected = sorted([("a", "first", 0, "view"), *good], key=lambda row: row[2])
    assert found == [
        (user, item, str(time), did, str(int(did == "buy"))) for user, item, time, did in expected
    ]
    assert dict(job.rejects.counts) == {kind: bad.count(kind) for kind in set(bad)}
    assert job.counts.rows == len(good) + len(bad) + 1
    assert job.counts.duplicates == len(expected) - len(set(expected))
    times = [row[2] for row in expected]
    assert job.counts.tied_events == sum(times.count(time) > 1 for time in times)


def quoted(row):
    cells = ('"' + str(cell).replace('"', '""') + '"' for cell in row)
    return ",".join(cells).encode()


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_what_was_converted_loads_through_recbole(shop, toy, make_config, model):
    from recbole.data import create_dataset

    users = [f"{place % 5},{place % 7},{place % 90},{'buy' if place % 4 == 0 else 'view'}"
             for place in range(200)]  # fmt: skip
    shop.convert("csv", shop.write("log.csv", HEADER + "\n".join(users)), *OPTIONS)
    config = make_config(model, dataset="set", data_path=str(shop.output))
    dataset = create_dataset(config)
    dataset._change_feat_format()
    log = dataset.log
    tokens = dataset.field2id_token
    found = zip(
        tokens["user_id"][log.user],
        tokens["item_id"][log.item],
        log.time.tolist(),
        tokens["behavior"][log.behaviour],
        log.purchase.astype(int).tolist(),
        strict=True,
    )
    expected = sorted((line.split(",") for line in users), key=lambda row: int(row[2]))
    assert list(found) == [
        (user, item, float(time), did, int(did == "buy")) for user, item, time, did in expected
    ]


def test_features_of_a_jodie_log_enter_the_stream(shop, toy, make_config):
    from recbole_imn.data.dataset import IMNNetDataset

    header = "user_id,item_id,timestamp,state_label,comma_separated_list_of_features\n"
    rows = "".join(f"{place % 3},{place % 4},{place},0,{place},{-place}\n" for place in range(60))
    shop.convert("jodie", shop.write("log.csv", header + rows))
    fields = ["user_id", "item_id", "timestamp", "features"]
    dataset = IMNNetDataset(
        make_config(
            "IMNNet",
            dataset="set",
            data_path=str(shop.output),
            load_col={"inter": fields},
            event_features=["features"],
        )
    )
    dataset._change_feat_format()
    features = dataset.log.features
    assert features.shape == (60, 2)
    assert (features[:, 0] == -features[:, 1]).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("abcdef"), st.sampled_from("xy"), st.integers(-2, 3)),
            max_size=8,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_items_are_collected_in_order_whatever_is_forgotten_meanwhile(blocks):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(items, "PENDING_ROWS", 3)
        patch.setattr(items, "RECENT_ROWS", 2)
        collector = items.ItemCollector(["brand"])
        for block in blocks:
            schema = {"item_id": pl.String, "item.brand": pl.String, "time": pl.Int64}
            collector.add(pl.DataFrame(block, schema=schema, orient="row"))
    found, n_others = collector.result()
    rows = [row for block in blocks for row in block]
    order = list(dict.fromkeys(item for item, _, _ in rows))
    earliest = {}
    for item, brand, _ in sorted(rows, key=lambda row: row[2]):
        earliest.setdefault(item, brand)
    assert found.rows() == [(item, earliest[item]) for item in order]
    assert n_others == len({row[:2] for row in rows}) - len(order)


def test_attributes_of_a_log_written_newest_first_are_those_of_the_earliest_event(shop):
    rows = "".join(f"u,x,{time},{price}\n" for time, price in ((30, 7), (20, 8), (10, 9), (10, 5)))
    mapping = shop.write("m.yaml", "item_columns: {price: {column: price, type: float}}\n")
    path = shop.write("log.csv", f"user,item,time,price\nu,y,40,1\n{rows}")
    shop.convert("csv", path, f"--mapping={mapping}")
    assert [(row["item_id"], row["price"]) for row in shop.rows("item")] == [("y", "1"), ("x", "9")]

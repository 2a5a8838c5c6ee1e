"""Converters keep every row or say what became of it, whatever people's tables look like.

What was written is compared with a reading by Python's own csv module and ``datetime``.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.data.convert import engine, rows
from recbole_imn.data.convert.item_files import Extras
from recbole_imn.data.convert.table import read_table
from recbole_imn.data.convert.times import parse_times
from tests.data.convert.conftest import Workshop

NAMED = ("--user=u", "--item=i", "--time=t")
PLACED = ("--user=1", "--item=2", "--time=3")
START = 1_577_836_800  # 2020-01-01T00:00:00Z


@pytest.fixture
def shop(tmp_path, capsys) -> Workshop:
    return Workshop(tmp_path, capsys)


def events(shop: Workshop) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in shop.rows()]


# --- random tables against Python's csv module ---------------------------------------------

IDS = st.sampled_from(["a", "b", 'quo"te', "sep;ar,a|t:o r", "é", "007", "NA", " c "])
PIECES = ["a", '"', "\n", "\r\n", "\t", ",", ";", "|", ":", " ", "é"]
NOTES = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
ROWS = st.lists(
    st.tuples(IDS, IDS, st.integers(0, 9), st.sampled_from(["view", "buy"]), NOTES),
    min_size=1,
    max_size=30,
)


def laid_out(drawn, separator, end, has_header, has_last_end, mark):
    """Write rows as csv does; the test replaces a one-character separator by a longer one."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end)
    if has_header:
        writer.writerow(["who", "what", "when", "did", "note"])
    for user, item, time, did, note in drawn:
        writer.writerow([user, item, START + time, did, note])
    content = text.getvalue() if has_last_end else text.getvalue().removesuffix(end)
    return (b"\xef\xbb\xbf" if mark else b"") + content.encode()


@settings(max_examples=80, deadline=None)
@given(
    ROWS,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(20, 400),
)
def test_a_random_table_is_read_as_the_csv_module_reads_it(
    tmp_path_factory, drawn, separator, end, has_header, has_last_end, mark, block
):
    folder = tmp_path_factory.mktemp("log")
    content = laid_out(drawn, separator, end, has_header, has_last_end, mark)
    (folder / "log.csv").write_bytes(content)
    mapping = {
        "columns": {"user_id": 1, "item_id": 2, "timestamp": 3, "behavior": 4},
        "purchases": ["buy"],
        "separator": separator,
        "time_format": "seconds",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK_BYTES", block)
        # A line may be longer than so small a block.
        patch.setattr(rows, "LONGEST_LINE", 1 << 20)
        source = read_table("csv", [folder / "log.csv"], mapping, Extras())
        job = engine.convert(source, folder, "set", max_bad=1)
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator)
    table = [row for row in reader if row][int(has_header) :]
    bad = [row for row in table if any(set(cell.strip()) & set("\t\r\n") for cell in row[:4])]
    good = sorted((row for row in table if row not in bad), key=lambda row: int(row[2]))
    written = (folder / "set" / "set.inter").read_text(encoding="utf-8").split("\n")[1:-1]
    origin = START // 86_400 * 86_400
    assert [tuple(line.split("\t")) for line in written] == [
        (user.strip(), item.strip(), str(int(time) - origin), did, str(int(did == "buy")))
        for user, item, time, did, _ in good
    ]
    assert (job.counts.rows, job.counts.bad_rows) == (len(table), len(bad))
    assert job.counts.rows == job.counts.events + job.counts.bad_rows


@settings(max_examples=60, deadline=None)
@given(ROWS, st.sampled_from(["::", "||", " - "]), st.integers(40, 400))
def test_a_long_separator_cuts_as_a_short_one(tmp_path_factory, drawn, separator, block):
    folder = tmp_path_factory.mktemp("log")
    cells = [("who", "what", "when", "did", "note")]
    # The separator stands in a quoted cell too.
    cells += [(u, i, t, did, note + separator) for u, i, t, did, note in drawn]
    content = "".join(
        separator.join('"' + str(cell).replace('"', '""') + '"' for cell in row) + "\n"
        for row in cells
    )
    (folder / "log.csv").write_text(content, encoding="utf-8", newline="")
    mapping = {
        "columns": {"user_id": "who", "item_id": "what", "timestamp": "when"},
        "separator": separator,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK_BYTES", block)
        patch.setattr(rows, "LONGEST_LINE", 1 << 20)
        source = read_table("csv", [folder / "log.csv"], mapping, Extras())
        job = engine.convert(source, folder, "set", max_bad=1)
    expected = sorted(((u.strip(), i.strip(), t) for u, i, t, _, _ in drawn), key=lambda r: r[2])
    written = (folder / "set" / "set.inter").read_text(encoding="utf-8").split("\n")[1:-1]
    assert [tuple(line.split("\t")[:2]) for line in written] == [row[:2] for row in expected]
    assert (job.counts.rows, job.counts.bad_rows) == (len(drawn), 0)


@pytest.mark.parametrize("place", [0, 1, 500, 998])
def test_one_open_quote_spoils_one_row(shop, place):
    lines = [f"u{row},x,{row},note {row}" for row in range(1_000)]
    lines[place] = f'u{place},x,{place},"open'
    shop.convert(
        "csv", shop.write("log.csv", "u,i,t,n\n" + "\n".join(lines)), *NAMED, "--max-bad=0.5"
    )
    assert [(line, kind) for line, kind, _ in shop.rejected()] == [(place + 2, "quoting")]
    assert len(shop.rows()) == 999


def test_quotes_are_plain_characters_if_the_user_says_so(shop):
    path = shop.write("log.csv", 'u,i,t\n"a,x,5\nb,5" disk,6\n')
    shop.convert("csv", path, *NAMED, "--quoting=none")
    assert events(shop) == [('"a', "x", "5"), ("b", '5" disk', "6")]
    assert "--quoting=none" in shop.fail("csv", path, *NAMED)


def test_free_text_that_nobody_maps_costs_no_row(shop):
    text = 'u,i,t,n\na,x,5,"two\nlines, ""quoted""\n\nand a\ttab"\nb,y,6,\x0b\udcff\n'
    shop.convert("csv", shop.write("log.csv", text.encode("utf-8", "surrogateescape")), *NAMED)
    assert events(shop) == [("a", "x", "5"), ("b", "y", "6")]
    shop.convert("csv", shop.folder / "log.csv", *PLACED[:2], "--time=3", "--max-bad=0.5")
    assert len(shop.rows()) == 2


def test_a_tab_in_a_quoted_id_of_a_tab_separated_table_is_a_bad_row(shop):
    path = shop.write("log.csv", 'u\ti\tt\na\t"x\ty"\t5\nb\tz\t6\n')
    shop.convert("csv", path, *NAMED, "--max-bad=0.5")
    assert [kind for _, kind, _ in shop.rejected()] == ["control character"]


# --- headers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "is_header"),
    [
        ("0,1,2", True),
        ("1,2,3", True),
        ("0,2,7", True),
        ("user,item,time", True),
        ("V1,V2,time1", True),
        ("\n\nuser,item,time", True),
        (f"7,8,{START}", False),
        ("a,x,99/99/2020", False),
        ("a,x,", False),
        ("a,x,NULL", False),
    ],
)
def test_the_first_line_is_a_header_or_a_row_and_the_summary_says_which(shop, first, is_header):
    rest = "".join(f"u{row},i,{START + row}\n" for row in range(3))
    path = shop.write("log.csv", f"{first}\n{rest}")
    printed = shop.convert("csv", path, *PLACED, "--max-bad=0.5")
    assert shop.about()["counts"]["rows"] == 4 - is_header
    assert ("was taken for the header" in printed) == is_header
    assert ("was taken for a row" in printed) == (not is_header)


def test_a_header_is_no_event_where_times_are_words(shop):
    rows_of = "ann,lamp,Mon Jan 05 10:00:00 2015\nbob,desk,Mon Jan 05 11:00:00 2015\n"
    shop.convert("csv", shop.write("log.csv", rows_of), *PLACED)
    assert len(shop.rows()) == 2


def test_a_line_that_may_be_either_is_asked_for(shop):
    path = shop.write("log.csv", "0,1,2\n3,4,5\n")
    assert "'0,1,2' may be a header or a row" in shop.fail("csv", path, *PLACED)
    shop.convert("csv", path, *PLACED, "--header=false")
    assert len(shop.rows()) == 2
    shop.convert("csv", path, *PLACED, "--header=true")
    assert len(shop.rows()) == 1


# --- times ------------------------------------------------------------------------------------

PYTHON_FORMATS = [
    "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H", "%d.%m.%Y %H:%M", "%y%m%d %H%M%S",
    "%d-%b-%Y %H:%M:%S", "%A, %d %B %Y %H:%M", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S,%f",
    "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S %z", "%c", "%x %X", "%j %Y %H:%M", "%Y%m%d%H%M%S",
    "%Y-%m", "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%SZ",
    "%I %p %Y %m %d",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2068, 1, 1)),
    st.sampled_from(PYTHON_FORMATS),
    st.sampled_from([0, 90, -330]),
)
def test_patterns_mean_what_they_mean_to_python(moment, pattern, minutes):
    text = moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).strftime(pattern)
    expected = datetime.strptime(text, pattern)
    if expected.tzinfo is None:
        expected = expected.replace(tzinfo=timezone.utc)
    frame = pl.DataFrame({"time": [text]})
    found = frame.select(parse_times(pl.col("time"), pattern, "UTC")).item()
    assert found == (expected - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%F %T", "2020-01-02 03:04:05"),
        ("%D %r", "01/02/20 03:04:05 AM"),
        ("%Y-%m-%d %H:%M:%S%.f", "2020-01-02 03:04:05"),
        ("%Y-%m-%d %H:%M:%S %Z", "2020-01-02 04:04:05 CET"),
        ("%a %b %d %H:%M:%S %Z %Y", "Thu Jan  2 03:04:05 UTC 2020"),
        ("%s", "1577934245"),
        ("%Y-%m-%d seconds", "2020-01-02 11045"),
        ("nanoseconds", "1577934245000000999"),
    ],
)
def test_patterns_that_python_does_not_read_itself(pattern, text):
    found = pl.DataFrame({"time": [text]}).select(parse_times(pl.col("time"), pattern, "UTC"))
    assert found.item() == 1_577_934_245_000_000


@pytest.mark.parametrize("pattern", ["%H:%M", "%Y-%m-%d %I:%M", "%Y-%m-%d %q", "%Y%", "%Y%f"])
def test_a_pattern_that_leaves_the_moment_open_is_refused(shop, pattern):
    path = shop.write("log.csv", "u,i,t\na,x,2020-01-01\n")
    line = shop.fail("csv", path, *NAMED, f"--time-format={pattern}")
    assert f"the time format {pattern!r} makes no sense" in line


@pytest.mark.parametrize(
    ("when", "seconds"),
    [
        ("2020-01-01 10:00:00 UTC", 36_000),
        ("Wed, 01 Jan 2020 10:00:00 GMT", 36_000),
        ("20200101100000", 36_000),
        ("202001011000", 36_000),
        ("2020-01-01 10:00:00 AM", 36_000),
        ("1577872800000000000", 36_000),
        ("01.01.2020 10:00", 36_000),
    ],
)
def test_times_are_recognised(shop, when, seconds):
    shop.convert("csv", shop.write("log.csv", f'u,i,t\na,x,"{when}"\n'), *NAMED)
    assert float(shop.rows()[0]["timestamp"]) == seconds


@pytest.mark.parametrize(
    ("head", "row", "option", "seconds"),
    [
        ("u,i,d,c", "a,x,2020-01-01,10:00:00.5", "d,c", 36_000.5),
        ("u,i,c,d", "a,x,10:00 PM,01.01.2020", "d,c", 79_200),
        ("u,i,d,c", "a,x,2020-01-01,36000500", "d,c", 36_000.5),
        ("u,i,d,c", "a,x,20200101,10:00", "3,4", 36_000),
    ],
)
def test_date_and_clock_may_be_apart(shop, head, row, option, seconds):
    path = shop.write("log.csv", f"{head}\n{row}\n")
    shop.convert("csv", path, *NAMED[:2], f"--time={option}")
    assert float(shop.rows()[0]["timestamp"]) == seconds
    mapping = shop.write("m.yaml", json.dumps({"columns": {"timestamp": option.split(",")}}))
    if not option[0].isdigit():
        shop.convert("csv", path, *NAMED[:2], f"--mapping={mapping}")
        assert float(shop.rows()[0]["timestamp"]) == seconds


def test_figures_that_may_be_several_times_of_day_are_asked_for(shop):
    path = shop.write("log.csv", "u,i,d,c\na,x,2020-01-01,1000\n")
    assert "may be seconds, milliseconds or figures of a clock" in shop.fail(
        "csv", path, *NAMED[:2], "--time=d,c"
    )


def test_a_row_in_seconds_among_milliseconds_is_pointed_out(shop):
    lines = "".join(f"a,x,{START}{row:03d}\n" for row in range(50)) + f"b,x,{START}\n"
    printed = shop.convert("csv", shop.write("log.csv", "u,i,t\n" + lines), *NAMED)
    assert "the times look wrong" in printed
    assert "1970-01-19" in printed


# --- tables of items --------------------------------------------------------------------------


def test_listings_without_an_event_are_kept_and_files_are_counted_apart(shop):
    log = "".join(f"u{row},i{row % 20},{START + row}\n" for row in range(100))
    items = "".join(f"i{row},{row}.5\n" for row in range(30)) + "i0,0.5\ni1,99\n"
    printed = shop.convert(
        "csv",
        shop.write("log.csv", "u,i,t\n" + log),
        *NAMED,
        f"--items={shop.write('items.csv', 'i,price' + chr(10) + items)}",
    )
    assert [row["item_id"] for row in shop.rows("item")] == [f"i{row}" for row in range(30)]
    counts = shop.about()["counts"]
    assert (counts["rows"], counts["item_rows"], counts["items"]) == (100, 32, 30)
    assert (counts["items_without_events"], counts["repeated_item_rows"]) == (10, 1)
    assert counts["differing_item_rows"] == 1
    assert "100 rows read of log.csv" in printed
    assert "32 rows read of items.csv" in printed
    assert "10 of them have no event yet; they are kept" in printed


def test_an_item_table_full_of_bad_rows_does_not_hide_behind_a_long_log(shop):
    log = "".join(f"u{row},i,{START + row}\n" for row in range(5_000))
    items = shop.write("items.csv", "i,price\n,1\n")
    line = shop.fail("csv", shop.write("log.csv", "u,i,t\n" + log), *NAMED, f"--items={items}")
    assert "items.csv: 1 of 1 rows are bad (empty id 1)" in line


def test_columns_of_items_are_numbers_times_or_words_by_all_of_their_cells(shop):
    cells = [
        f"i{row},{row}.25,2020-01-{1 + row % 28:02d},{row},{row:05d},{2000 + row % 20},{row}"
        for row in range(2_000)
    ]
    # Later than any sample: a word among numbers, a cell without a value.
    cells[1_990] = "i1990,NULL,,1990,01990,2010,on request"
    head = "i,price,added_on,brand_id,code,year,rent"
    items = shop.write("items.csv", "\n".join([head, *cells]))
    printed = shop.convert(
        "csv", shop.write("log.csv", f"u,i,t\na,i3,{START}\n"), *NAMED, f"--items={items}"
    )
    assert shop.header("item").split("\t") == [
        "item_id:token", "price:float", "added_on:float", "brand_id:token", "code:token",
        "year:float", "rent:token",
    ]  # fmt: skip
    found = {row["item_id"]: row for row in shop.rows("item")}
    assert len(found) == 2_000
    assert found["i3"]["added_on"] == str(3 * 86_400)
    assert (found["i1990"]["price"], found["i1990"]["added_on"]) == ("", "")
    assert "rent ('on request')" in printed


def test_text_over_several_lines_is_left_out_of_the_items(shop):
    items = shop.write("items.csv", 'i,text,price\nx,"a\nb",5\ny,c,6\n')
    printed = shop.convert(
        "csv", shop.write("log.csv", "u,i,t\na,x,5\n"), *NAMED, f"--items={items}"
    )
    assert [row["price"] for row in shop.rows("item")] == ["5", "6"]
    assert "these were left out: text" in printed


def test_a_mapped_column_of_items_may_be_a_time(shop):
    mapping = "{items: {columns: {item_id: i}, item_columns: {new: {column: when, type: time}}}}"
    items = shop.write("items.csv", "i,when\nx,2020-01-02\n")
    path = shop.write("log.csv", f"u,i,t\na,x,{START}\n")
    options = (f"--items={items}", f"--mapping={shop.write('m.yaml', mapping)}")
    shop.convert("csv", path, *NAMED, *options)
    assert shop.rows("item") == [{"item_id": "x", "new": "86400"}]


def test_images_alone_are_a_catalogue_and_a_table_goes_before_them(shop):
    np = pytest.importorskip("numpy")
    np.save(shop.folder / "v.npy", np.eye(3))
    shop.write("v.ids.txt", "x\ny\nz\n")
    path = shop.write("log.csv", "u,i,t\na,x,5\n")
    images = f"--images={shop.folder / 'v.npy'}"
    shop.convert("csv", path, *NAMED, images)
    assert [row["item_id"] for row in shop.rows("item")] == ["x", "y", "z"]
    items = shop.write("items.csv", "i,price\ny,5\n")
    printed = shop.convert("csv", path, *NAMED, images, f"--items={items}")
    assert [row["item_id"] for row in shop.rows("item")] == ["x", "y"]
    assert all(row["image"] for row in shop.rows("item"))
    assert "1 images left out" in printed


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

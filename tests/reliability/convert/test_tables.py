"""Text in columns, read as Python's own csv module reads it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.data.convert import engine, rows
from recbole_imn.data.convert.item_files import Extras
from recbole_imn.data.convert.table import read_table
from tests.reliability.convert.asking import NAMED, PLACED, START, events
from tests.reliability.convert.drawing import ROWS

# --- random tables against Python's csv module ---------------------------------------------


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

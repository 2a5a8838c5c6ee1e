"""Bad input gives one line with file, line and value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.data.atomic import check_log, read_columns, read_header
from recbole_imn.errors import DataError

HEADER = "user_id:token\titem_id:token\ttimestamp:float\tbehavior:token\tpurchase:float\n"


def load(tmp_path, text):
    path = tmp_path / "log.inter"
    path.write_text(text, encoding="utf-8")
    header = read_header(path)
    log = read_columns(path, header, list(header))
    check_log(path, header, log, "user_id", "item_id", "timestamp")
    return log


COLUMNS = ["user_id", "item_id", "timestamp", "behavior", "purchase"]
GOOD = HEADER + "u\ti\t1\tview\t0\nu\tj\t2\tbuy\t1\n"


def test_a_good_log_is_read(tmp_path):
    log = load(tmp_path, GOOD + "\nNA\tnull\t3.5\tview\t0\n")
    assert log["user_id"].tolist() == ["u", "u", "NA"]
    assert log["timestamp"].tolist() == [1.0, 2.0, 3.5]
    assert log.index.tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("<html>\n", "line 1: column '<html>' is not FIELD:TYPE"),
        (HEADER, "the log has a header but no rows"),
        (GOOD + "u\ti\tnoon\tview\t0\n", "line 4: timestamp is 'noon', not a number"),
        (GOOD + "u\ti\t\tview\t0\n", "line 4: timestamp is empty or NaN, not a finite number"),
        (GOOD + "u\ti\tnan\tview\t0\n", "line 4: timestamp is"),
        (GOOD + "u\ti\tinf\tview\t0\n", "line 4: timestamp is inf, not a finite number"),
        (GOOD + "\ti\t3\tview\t0\n", "line 4: user_id is empty or NaN, not an id"),
        (GOOD + "\n\nu\t\t3\tview\t0\n", "line 6: item_id is empty or NaN, not an id"),
        (GOOD + "u\ti\t3\tview\t2\n", "line 4: purchase is 2.0, not 0 or 1"),
        (GOOD + "u\ti\t3\tview\t\n", "line 4: purchase is empty or NaN, not 0 or 1"),
        (GOOD + "u\ti\t3\tview\t0\t7\n", "line 4: 6 columns, but the header has 5"),
        (GOOD + "u\ti\t3\n", "line 4: 3 columns, but the header has 5"),
        (HEADER + "u\ti\t1\tview\t0\nv\tj\t2\tview\t0\n", "no user has two events or more"),
        ("user_id:token\titem_id:token\nu\ti\n", "no column timestamp"),
        ("user_id:token\titem_id:token\ttimestamp:token\nu\ti\t1\n", "timestamp:float"),
        ("user_id:token\titem_id:token\ttime:float\nu\ti\t1\n", "the header has ['user_id', 'item"),
        ("user_id:float\titem_id:token\ttimestamp:float\n1\ti\t1\n", "user_id must be a column"),
    ],
)
def test_bad_logs_are_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(DataError) as error:
        load(tmp_path, text)
    assert message in str(error.value)
    assert "log.inter" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mark_of_the_encoding_is_no_part_of_a_name(tmp_path):
    assert load(tmp_path, "\ufeff" + GOOD)["user_id"].tolist() == ["u", "u"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone.inter: no such file"):
        read_header(tmp_path / "gone.inter")


def test_text_in_another_encoding_is_reported(tmp_path):
    path = tmp_path / "log.inter"
    path.write_bytes((HEADER + "\xfc\ti\t1\tview\t0\n").encode("latin-1"))
    with pytest.raises(DataError, match="not utf-8 text"):
        read_columns(path, read_header(path), COLUMNS)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_numbers_are_read_exactly(tmp_path_factory, values):
    rows = "".join(f"u\ti\t{value!r}\tview\t0\n" for value in values)
    log = load(tmp_path_factory.mktemp("log"), HEADER + rows)
    assert np.array_equal(log["timestamp"].to_numpy(), np.array(values))

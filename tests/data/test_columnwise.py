"""Columns read at once are those that are read row by row."""

import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.data import atomic
from recbole_imn.data.atomic import read_columns, read_header
from recbole_imn.data.columnwise import dense, read_frame
from recbole_imn.errors import DataError

HEADER = "user_id:token\tprice:float\ttags:token_seq"
TOKENS = st.text(string.ascii_letters + string.digits + " \"'#,.éß中", min_size=0, max_size=6)
NUMBERS = st.one_of(
    st.floats(allow_nan=False).map(repr), st.sampled_from(["", "1.", "+2", " 3", "1e400", "-0"])
)


def write(folder, lines, header=HEADER):
    path = folder / "log.inter"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@given(st.lists(st.tuples(TOKENS, NUMBERS, TOKENS), min_size=1, max_size=20))
def test_a_frame_is_that_of_the_reader_of_rows(tmp_path_factory, rows):
    path = write(tmp_path_factory.mktemp("log"), ["\t".join(row) for row in rows])
    header = read_header(path)
    frame, expected = read_frame(path, header, header), read_columns(path, header, header)
    assert frame["user_id"].dtype == "category"
    for field in header:
        one, other = frame[field].astype(object), expected[field].astype(object)
        pd.testing.assert_series_equal(one, other, check_index_type=False)


def test_what_looks_unusual_is_read_row_by_row(tmp_path):
    # A blank behind a number is one to pandas alone.
    path = write(tmp_path, ["a\t1 \tx", "b\t2\t", "a\t\ty z"])
    frame = read_frame(path, read_header(path), ["user_id", "price", "tags"])
    assert frame["price"].tolist()[:2] == [1.0, 2.0]
    assert np.isnan(frame["price"][2])
    assert frame["user_id"].tolist() == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\tx\t", "line 3: price is 'x', not a number"),
        ("a\tnan\t", "line 3: price is 'nan', not a number; leave the cell empty"),
        ("a\t1", "line 3: 2 columns, but the header has 3"),
        ("a\t1\t\0", "line 3: a zero byte or a carriage return inside a row"),
        ("a\r\t1\t", "line 3: a zero byte or a carriage return inside a row"),
    ],
)
def test_the_first_line_that_is_wrong_is_named(tmp_path, line, message):
    path = write(tmp_path, ["a\t1\t", line, "b\ty\t"])
    with pytest.raises(DataError, match=message):
        read_frame(path, read_header(path), ["user_id", "price"])


def test_blank_lines_are_no_rows_and_lines_are_known(tmp_path):
    path = write(tmp_path, ["", "a\t1\tx", " \t\t", "", "b\t2\ty"])
    assert read_frame(path, read_header(path), ["user_id"]).index.tolist() == [1, 4]


def test_lines_that_end_in_two_characters_are_read(tmp_path):
    path = tmp_path / "log.inter"
    path.write_bytes(b"user_id:token\tprice:float\r\na\t1\r\nb\t2\r\n")
    frame = read_frame(path, read_header(path), ["user_id", "price"])
    assert frame["price"].tolist() == [1.0, 2.0]


def test_blocks_end_where_lines_do(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "BLOCK_BYTES", 7)
    path = write(tmp_path, [f"u{k}\t{k}\tx" for k in range(50)])
    assert len(read_frame(path, read_header(path), ["user_id"])) == 50


@given(st.lists(st.integers(-1, 9), max_size=40))
def test_values_are_numbered_as_they_first_occur(values):
    codes, first = dense(np.array(values, np.int64))
    expected, _ = pd.factorize(np.array([np.nan if v < 0 else v for v in values]))
    assert codes.tolist() == expected.tolist()
    assert [codes[row] for row in first] == list(range(len(first)))

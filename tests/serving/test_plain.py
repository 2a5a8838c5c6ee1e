"""Small parts of serving: strings, ids, moments, attributes and stays."""

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.serving import Policies
from recbole_imn.serving.attributes import Attributes
from recbole_imn.serving.columns import columns_of
from recbole_imn.serving.names import Names, raw_id
from recbole_imn.serving.packing import pack, unpack
from recbole_imn.serving.shelf import OpenShelf
from recbole_imn.serving.times import LogClock

TEXTS = st.lists(st.text(max_size=12))


@given(TEXTS)
def test_packed_strings_come_back(strings):
    assert unpack(pack(strings)) == strings


def test_packed_strings_that_do_not_fit_are_refused():
    packed = pack(["one", "two"])
    packed["ends"] = packed["ends"] + 1
    with pytest.raises(ValueError, match="do not fit"):
        unpack(packed)


@given(st.lists(st.text(st.characters(min_codepoint=32), min_size=1), unique=True))
def test_names_keep_their_numbers(names):
    found = Names(names[: len(names) // 2])
    assert found.add(names) == list(range(1, len(names) + 1))
    assert list(found) == names
    assert [found.name(number) for number in range(1, len(names) + 1)] == names
    assert all(found.get(name) == number for number, name in enumerate(names, start=1))


def test_a_name_that_changes_is_free_again():
    names = Names(["a", "b"])
    names.rename("a", "c")
    assert (names.get("a"), names.get("c")) == (None, 1)
    assert names.add(["a"]) == [3]
    with pytest.raises(ServingError, match="taken"):
        names.rename("b", "c")


@pytest.mark.parametrize(
    ("given", "name"),
    [("00042", "00042"), (42, "42"), (np.int64(7), "7"), (3.0, "3"), ("u-17 ü", "u-17 ü")],
)
def test_ids_are_text(given, name):
    assert raw_id(given, "user") == name


@pytest.mark.parametrize("wrong", ["", None, 1.5, True, "a\tb", "x" * 2000, float("nan"), b"a"])
def test_what_is_no_id_is_refused(wrong):
    with pytest.raises(ServingError, match="user is"):
        raw_id(wrong, "user")


NOON = datetime(2019, 5, 1, 12, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON.timestamp(),
        NOON.isoformat(),
        "2019-05-01T04:00:00Z",
        datetime(2019, 5, 1, 4),
        pd.Timestamp(NOON),
        np.datetime64("2019-05-01T04:00:00"),
        str(NOON.timestamp()),
    ],
)
def test_moments_are_seconds_of_the_log(moment):
    clock = LogClock(datetime(2019, 5, 1, tzinfo=NOON.tzinfo).timestamp())
    assert clock.seconds(moment) == 12 * 3600
    assert clock.seconds(clock.text(12 * 3600)) == 12 * 3600


def test_a_day_begins_at_midnight():
    assert LogClock(0.0).seconds(date(1970, 1, 2)) == 86400


def test_where_the_origin_is_unknown_numbers_are_seconds_and_dates_are_refused():
    clock = LogClock(None)
    assert clock.seconds(5) == 5
    assert clock.now() is None
    with pytest.raises(ServingError, match="nobody knows"):
        clock.seconds(NOON)


@pytest.mark.parametrize("wrong", ["yesterday", None, float("inf"), True, [1], ""])
def test_what_is_no_moment_is_refused(wrong):
    with pytest.raises(ServingError, match="no moment"):
        LogClock(0.0).seconds(wrong)


@given(st.lists(st.one_of(st.none(), st.integers(-(2**50), 2**50), st.floats(-1e9, 1e9))), TEXTS)
def test_attributes_come_back(numbers, texts):
    columns = {"price": [None, *numbers], "title": [None, *texts]}
    columns["title"] = [cell if cell != "\0" else None for cell in columns["title"]]
    found = Attributes.from_values(Attributes(columns).to_values())
    assert found.columns == columns


def test_attributes_that_are_told_later_fill_up_with_nothing():
    known = Attributes({"price": [None, 3]})
    known.set([3], {"price": [5], "title": ["new"]})
    assert known.cells("price", [1, 2, 3, 9]) == [3, None, 5, None]
    assert known.cells("title", [1, 3]) == [None, "new"]
    with pytest.raises(ServingError, match=r"no attribute 'colour' \(known: price, title\)"):
        known.cells("colour", [1])


def test_stays_begin_and_end():
    shelf = OpenShelf(np.array([1, 2]), np.array([0.0, 10.0]), np.array([5.0, np.inf]))
    assert shelf.on_shelf(5).tolist() == [1]
    assert shelf.on_shelf(6).tolist() == []
    shelf.list_items([1, 3], 7.0)
    assert shelf.on_shelf(12).tolist() == [1, 2, 3]
    shelf.list_items([1], 12.0)
    shelf.delist_items([1, 2], 13.0)
    assert shelf.on_shelf(12.5).tolist() == [1, 2, 3]
    assert shelf.on_shelf(13).tolist() == [3]
    shelf.delist_items([3], 1.0)
    assert shelf.on_shelf(14).tolist() == []


def test_frames_of_all_kinds_are_columns():
    import polars as pl

    cells = {"user": ["a", "b"], "price": [1.5, None]}
    assert columns_of(cells) == cells
    assert columns_of(pd.DataFrame(cells)) == cells
    assert columns_of(pl.DataFrame(cells)) == cells
    with pytest.raises(ServingError, match="different lengths"):
        columns_of({"user": [1], "item": []})
    with pytest.raises(ServingError, match="no table"):
        columns_of(3)


@pytest.mark.parametrize(
    "rules", [{"late": "maybe"}, {"duplicate": "now"}, {"future_tolerance": -1}]
)
def test_rules_that_are_none_are_refused(rules):
    with pytest.raises(ServingError):
        Policies(**rules)


def test_attributes_of_any_kind_come_back_as_they_were():
    columns = {
        "tags": [None, ["red", "wood"], "red"],
        "is_new": [None, True, False],
        "serial": [None, 2**60, 1],
        "price": [None, 5, 2.5],
        "mixed": ["5", 5, None],
    }
    found = Attributes.from_values(Attributes(columns).to_values()).columns
    assert found == columns
    assert [type(cell) for cell in found["is_new"][1:]] == [bool, bool]

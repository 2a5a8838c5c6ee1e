"""Times of any form, read as Python's own ``datetime`` reads them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.data.convert.times import parse_times
from tests.reliability.convert.asking import NAMED, START

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
        ("%a %b %d %Y %H:%M:%S GMT%z (%Z)", "Wed Jan 01 2020 19:04:05 GMT-0800 (PST)"),
        ("%a %b %d %Y %H:%M:%S GMT%z (%Z)", "Wed Jan 01 2020 19:04:05 GMT-0800 (Pacific Time)"),
        ("%a %b %d %Y %H:%M:%S %Z%z", "Wed Jan 01 2020 19:04:05 PST-0800"),
        ("%a %b %d %Y %H:%M:%S %Z%z (%Z)", "Wed Jan 01 2020 19:04:05 GMT-08:00 (PST)"),
        ("%Y-%m-%d %H:%M:%S %z %Z", "2020-01-01 19:04:05 -0800 PST"),
        ("%H:%M:%S %Z %z %Y-%m-%d", "19:04:05 PST -0800 2020-01-01"),
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
        ("Wed Jan 01 2020 10:00:00 GMT-0800 (PST)", 64_800),
        ("Wed Jan 01 2020 10:00:00 GMT+0100 (Central European Standard Time)", 32_400),
        ("Wed Jan 01 2020 10:00:00 GMT+0000", 36_000),
        ("2020010110", 36_000),
        ("2020010110.0", 36_000),
        ("20200101.0", 0),
        ("20200101100000.0", 36_000),
        ("202001011000.00", 36_000),
        ("1577872800.0", 36_000),
        ("1577872800000.0", 36_000),
        ("1577872800000000000.0", 36_000),
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


@pytest.mark.parametrize("place", [0, 40])
def test_days_with_an_hour_are_no_seconds_of_2034(shop, place):
    whens = [f"202403{1 + row % 28:02d}{row % 24:02d}" for row in range(50)]
    whens[place] = "2024139999"
    lines = "".join(f"a,x,{when}\n" for when in whens)
    printed = shop.convert("csv", shop.write("log.csv", "u,i,t\n" + lines), *NAMED, "--max-bad=0.1")
    assert "times were read as %Y%m%d%H" in printed
    assert [kind for _, kind, _ in shop.rejected()] == ["time"]
    assert "look wrong" not in printed


def test_seconds_are_seconds_though_some_could_be_hours(shop):
    lines = "".join(f"a,x,{1_999_010_100 + row * 7_919}\n" for row in range(50))
    printed = shop.convert("csv", shop.write("log.csv", "u,i,t\n" + lines), *NAMED)
    assert "times were read as seconds" in printed
    assert "lie in the future, up to 2033-05-" in printed


@pytest.mark.parametrize(
    ("whens", "told"),
    [
        (["45352.5", "45360.25"], "days of a spreadsheet, 2024-03-01 to 2024-03-09"),
        (["5", "1000"], "all of them lie within 1 hours of 1970 (5 to 1000 seconds)"),
    ],
)
def test_a_log_of_hours_after_1970_is_pointed_out(shop, whens, told):
    lines = "".join(f"a,x,{when}\n" for when in whens)
    path = shop.write("log.csv", "u,i,t\n" + lines)
    assert told in shop.convert("csv", path, *NAMED)
    assert "look wrong" not in shop.convert("csv", path, *NAMED, "--time-format=seconds")
    path = shop.write("log.csv", f"u,i,t\na,x,{START}\n")
    printed = shop.convert("csv", path, *NAMED, "--time-format=milliseconds")
    assert "all of them lie within 18 days of 1970" in printed

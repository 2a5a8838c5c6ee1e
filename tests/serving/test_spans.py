"""Spans of time and ranks in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.serving.spans import ago, counted, ordinal


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "just now"),
        (0.9, "just now"),
        (1, "1 second ago"),
        (59.9, "59 seconds ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7200, "2 hours ago"),
        (86399, "23 hours ago"),
        (86400, "1 day ago"),
        (40 * 86400, "40 days ago"),
    ],
)
def test_spans_are_told_in_the_largest_unit_that_fits(seconds, expected):
    assert ago(seconds) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (102, "102nd"),
        (111, "111th"),
        (1013, "1013th"),
    ],
)
def test_ranks_have_their_endings(number, expected):
    assert ordinal(number) == expected


@given(st.floats(0, 1e10))
def test_what_is_told_is_not_more_than_a_unit_off(seconds):
    text = ago(seconds)
    if text == "just now":
        assert seconds < 1
        return
    told, unit, _ = text.split()
    number = told.replace(",", "")
    size = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[unit.removesuffix("s")]
    assert counted(int(number), unit.removesuffix("s")) == f"{told} {unit}"
    assert int(number) * size <= seconds < (int(number) + 1) * size

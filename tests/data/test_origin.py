"""The moment that times count from, and what is told of odd ones."""

import json

import numpy as np

from recbole_imn.data.origin import odd_times

# One of 200 rows is of 1902, as UserBehavior.csv has some; times count from its day.
TIMES = np.append(0.0, 3_646_569_600.0 + 1_000 * np.arange(199))


def test_dates_are_those_of_the_record(tmp_path):
    record = {"origin": "1902-05-08T00:00:00+00:00"}
    (tmp_path / "set.source.json").write_text(json.dumps(record))
    told = odd_times(tmp_path, "set", TIMES)
    assert "116 years away from all others: 0 (1902-05-08), the others" in told
    assert "3646569600 (2017-11-25) to 3646767600 (2017-11-27)" in told


def test_nobody_knows_the_dates_of_times_that_count_from_an_unknown_moment(tmp_path):
    (tmp_path / "set.source.json").write_text('{"origin": "an unknown moment"}')
    assert odd_times(tmp_path, "set", TIMES).endswith("0, the others 3646569600 to 3646767600")


def test_without_a_record_dates_are_those_from_1970(tmp_path):
    assert "0 (1970-01-01 if counted from 1970)" in odd_times(tmp_path, "set", TIMES)


def test_a_damaged_record_is_not_asked_for_times_that_are_not_odd(tmp_path):
    (tmp_path / "set.source.json").write_text("{")
    assert odd_times(tmp_path, "set", TIMES[1:]) is None

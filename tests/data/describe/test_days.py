"""Days begin where the clock of the shop says so, also when it is changed."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from recbole_imn.data.describe import bins, measures
from recbole_imn.data.describe.days import day_text, moments_of_days
from recbole_imn.data.describe.log import read_log
from recbole_imn.errors import DataError
from tests.conftest import write_log

HOUR, DAY = 3_600, 86_400
RECORD = '{"origin": "2024-03-30T00:00:00+01:00", "time_zone": "Europe/Berlin"}'


def _log(folder, times, record=RECORD):
    write_log(folder, "toy", [("u", "x", time, "view", 0) for time in times])
    (folder / "toy" / "toy.source.json").write_text(record)
    return read_log(folder / "toy", "toy")


def test_a_day_of_23_hours_is_a_day(tmp_path):
    # 23:30 of the 31st, when the clock had been set on, is no moment of April.
    log = _log(tmp_path, [0, 2 * DAY - HOUR - 1_800, 2 * DAY - 1_800])
    size = measures.size(log)
    assert (size["first_day"], size["last_day"], size["days"]) == ("2024-03-30", "2024-04-01", 3)
    assert bins.per_day(log.time, log.time, log.origin).values.tolist() == [1, 1, 1]
    log = _log(tmp_path, [0, 2 * DAY - HOUR - 1_800])
    assert measures.size(log)["days"] == 2


def test_noon_and_midnight_are_those_of_the_clock():
    origin = datetime(2024, 3, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    begins = moments_of_days(0, 2 * DAY, origin)
    assert begins.tolist() == [0, DAY, 2 * DAY - HOUR]
    assert moments_of_days(0, 2 * DAY, origin, 12).tolist()[1] == DAY + 11 * HOUR
    assert moments_of_days(-1, 1, None).tolist() == [-DAY, 0]


def test_days_beyond_the_calendar_are_counted():
    origin = datetime(2024, 1, 1, tzinfo=timezone.utc)
    assert day_text(4e11, origin).startswith("14")
    assert len(moments_of_days(4e11, 4e11 + DAY, origin)) == 2
    assert np.all(np.isfinite(moments_of_days(0, DAY, origin)))


def test_a_record_without_a_time_zone_that_exists_is_damaged(tmp_path):
    with pytest.raises(DataError, match="time_zone is 'Mars', which is none"):
        _log(tmp_path, [0, DAY], RECORD.replace("Europe/Berlin", "Mars"))

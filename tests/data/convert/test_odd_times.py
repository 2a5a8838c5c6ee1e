"""Times that lie where no log does: in the future, in another calendar or count."""

import numpy as np
import pytest

from recbole_imn.data.convert.odd_times import odd

DAY = 86_400
MARCH_2024 = 1_709_251_200.0


def _odd(shop, whens, *options):
    rows = "".join(f"a,x,{when}\n" for when in whens)
    printed = shop.convert("csv", shop.write("log.csv", "user,item,time\n" + rows), *options)
    wrong = [line for line in printed.splitlines() if line.startswith("the times look wrong")]
    return wrong[0] if wrong else ""


@pytest.mark.parametrize(
    ("first", "step", "told"),
    [
        # Counted from 1601, as Chrome does, and in steps of 100 ns, as .NET and Windows do.
        (13_353_932_800_000_000, 10**6, "as microseconds since 1601 they are 2024-0"),
        (13_353_932_800_000, 10**3, "as milliseconds since 1601 they are 2024-0"),
        (638_500_000_000_000_000, 10**7, "as ticks of .NET they are 2024-0"),
        (133_500_000_000_000_000, 10**7, "as file times of Windows they are 2024-0"),
        (730_944_000, 1, "as seconds since 2001 they are 2024-0"),
        (3_918_240_000, 1, "as seconds since 1900 they are 2024-0"),
    ],
)
def test_counts_from_another_moment_are_pointed_out(shop, first, step, told):
    assert told in _odd(shop, [first + row * 3_600 * step for row in range(60)])


@pytest.mark.parametrize("year", [2567, 1403, 2101])
def test_years_of_another_calendar_are_pointed_out(shop, year):
    whens = [f"{year}-03-{row:02d} 10:00:00" for row in range(1, 29)]
    assert "years of another calendar" in _odd(shop, whens)
    assert "years of another calendar" in _odd(shop, whens, "--time-format=%Y-%m-%d %H:%M:%S")


def test_the_future_is_pointed_out_however_far_it_is(shop):
    assert "100% of them lie in the future, up to 2034-03" in _odd(
        shop, [f"2034-03-{row:02d}" for row in range(1, 29)]
    )


@pytest.mark.parametrize(
    ("first", "time_format", "is_told"),
    [
        (MARCH_2024, "seconds", False),
        (800_000_000.0, "microseconds", False),
        # Who says that they are seconds may count them from anywhere, and dates may be old.
        (63_000_000_000.0, "seconds", True),
        (400_000_000.0, "seconds", True),
        (400_000_000.0, "nanoseconds", True),
        (400_000_000.0, "%Y-%m-%d", False),
        # Seconds since the beginning of a log of some years.
        (40 * DAY, "seconds", False),
    ],
)
def test_other_logs_pass(first, time_format, is_told):
    times = first + np.arange(60) * DAY
    assert odd(times, time_format, is_told, "UTC") is None

"""Axes hold what they are made for, in round numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.pages.scales import Scale, round_scale

VALUES = st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), max_size=8)


@given(VALUES, st.integers(2, 5), st.booleans())
def test_every_value_is_on_the_axis_and_few_ticks_are(values, intervals, with_zero):
    scale = round_scale(values, intervals, with_zero)
    reach = scale.high - scale.low
    held = [*values, *([0.0] if with_zero else [])]
    assert all(scale.low - 1e-6 * reach <= value <= scale.high + 1e-6 * reach for value in held)
    places = [tick.place for tick in scale.ticks]
    assert 2 <= len(places) <= intervals + 1
    assert (places[0], places[-1]) == (0, 100)
    assert places == sorted(set(places))


@given(VALUES.filter(lambda values: max(map(abs, values), default=0) > 1e-6))
def test_ticks_are_written_differently(values):
    texts = [tick.text for tick in round_scale(values).ticks]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.2531], ["0.0", "0.1", "0.2", "0.3"]),
        ([-0.15, 0.08], ["-0.2", "-0.1", "0.0", "0.1"]),
        ([1234.0], ["0", "500", "1,000", "1,500"]),
        ([], ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        ([float("nan"), float("inf"), 2.0], ["0.0", "0.5", "1.0", "1.5", "2.0"]),
    ],
)
def test_ticks_are_round(values, texts):
    assert [tick.text for tick in round_scale(values).ticks] == texts


def test_labels_at_the_ends_stay_inside():
    assert [tick.side for tick in Scale(0, 2, 1).ticks] == ["first", "middle", "last"]
    assert Scale(0, 2, 1).at(5) == 100

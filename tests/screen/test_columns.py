"""Cells stand in their columns, and none is cut."""

from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.screen.columns import GAP, laid_out, table, width_of

CELLS = st.lists(st.text("ab1", min_size=1, max_size=5), min_size=3, max_size=3)


def test_names_are_to_the_left_and_numbers_to_the_right():
    assert table([["metric", "a"], ["x", "0.25"]]) == ["metric     a", "x       0.25"]


def test_a_long_cell_moves_others():
    assert laid_out(["123456", "1"], [3, 2]) == "123456   1"


@given(st.lists(CELLS, min_size=1, max_size=5), st.integers(0, 3))
def test_every_cell_is_there_in_its_place(rows, n_left):
    lines = table(rows, n_left)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    assert max(map(len, lines)) <= width_of(widths)
    for row, line in zip(rows, lines, strict=True):
        assert line.split() == row
        start = 0
        for cell, width in zip(row, widths, strict=True):
            assert line[start : start + width].strip() == cell
            start += width + len(GAP)

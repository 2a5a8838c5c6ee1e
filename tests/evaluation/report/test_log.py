"""What a page says of the log, and means in which every user counts once."""

import numpy as np
import pytest

from recbole_imn.evaluation.report.log import log_section, users_section, with_half
from tests.evaluation.report.conftest import N_ROWS, USERS


def test_the_size_of_the_log_and_of_its_test_rows(make_bench):
    rows = dict(log_section(make_bench().add("IMNNet", 1).board()).table.rows)
    assert (rows["events"], rows["users"], rows["items"]) == ("1,000", "50", "200")
    assert rows["users of the test rows"] == "30"
    assert rows["most active of them with half of the rows"] == "15"
    assert rows["purchases"] == "25.00% of the test rows"


@pytest.mark.parametrize(
    ("rows", "expected"), [([1], 1), ([1, 1], 1), ([4, 1, 1, 1], 1), ([1, 3, 1, 1, 1], 2)]
)
def test_half_of_the_rows_are_those_of_few_users(rows, expected):
    users = [f"u{user}" for user, number in enumerate(rows) for _ in range(number)]
    assert with_half(np.array(users, object)) == expected


def test_a_heavy_user_counts_once(make_bench):
    """One user has nearly all rows, and is the only one whom a system serves better."""
    bench = make_bench()
    heavy = np.arange(N_ROWS) >= 20
    bench.add("IMNNet", np.where(heavy, 1.0, np.inf), np.where(heavy, 1.0, np.inf))
    bench.add("JODIE", np.where(heavy, np.inf, 1.0))
    board = bench.board()
    board.users[heavy] = "heavy"
    table = users_section(board, "all", "JODIE").table
    n_users = len(np.unique(USERS[:20])) + 1
    rows = {row[0]: row[1:] for row in table.rows}
    mean, difference, interval = rows["IMN-Net"]
    assert mean == f"{1 / n_users:.4f} ± 0.0000"
    assert difference == f"{(2 - n_users) / n_users:+.4f}"
    low, high = map(float, interval.split(" to "))
    assert low < float(difference) < high
    assert rows["JODIE"] == (f"{(n_users - 1) / n_users:.4f}", "-", "-")


def test_without_a_baseline_there_is_no_difference(make_bench):
    board = make_bench().add("IMNNet", 1, 2).board()
    assert users_section(board, "all", None).table.rows[0][2:] == ("-", "-")

"""Numbers that tell of users against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.log import EventLog
from recbole_imn.model.sources.user_numbers import N_PAIRS, user_numbers
from recbole_imn.past import Past
from tests.past.logs import of_user, random_log


def log_time(seconds):
    return np.log1p(seconds) / 6 - 1


def expected(log, user, now, position):
    """The numbers of one row, from its user's events before its position."""
    mine = of_user(log, user, position)
    items, times = log.item[mine], log.time[mine]
    known = sum(items[k] in items[:k] for k in range(len(mine)))
    elapsed = now - times[-1] if len(mine) else 0.0
    same = [int(one == two) for one, two in zip(items[1:], items, strict=False)][::-1][:N_PAIRS]
    weights = 0.8 ** np.arange(len(same))
    run = next((k for k, is_same in enumerate(same) if not is_same), len(same)) + 1
    share = (0.5 + weights @ same) / (1 + weights.sum())
    return [
        np.log((known + 1) / (len(mine) + 2)),
        np.log(1 + len(mine)) / 5,
        log_time(elapsed),
        np.log((1 + sum(same)) / (2 + len(same))),
        np.log(share),
        np.log(1 - share),
        np.log(run) / 2,
        log_time(times[-1] - times[-2]) if same else 0.0,
    ]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 9999),
    users=st.integers(1, 5),
    items=st.integers(1, 4),
    where=st.integers(0, 80),
)
def test_equal_a_plain_search_while_the_past_lies_beyond(seed, users, items, where):
    log = random_log(seed, n_users=users, n_items=items)
    past = Past(log)
    past.move_to(where)
    rng = np.random.default_rng(seed)
    positions = rng.integers(0, where + 1, 25)
    at = log.time[np.minimum(positions, len(log) - 1)] + rng.integers(0, 50, 25)
    facts = past.look(rng.integers(0, log.n_users, 25), at, positions)
    numbers = user_numbers(past, facts)
    assert numbers.dtype == np.float32
    rows = zip(facts.user, facts.at, facts.position, strict=True)
    by_hand = [expected(log, *row) for row in rows]
    np.testing.assert_allclose(numbers, by_hand, rtol=1e-5, atol=1e-6)


def of_history(items, times):
    """The numbers of a user with a history, ten seconds after it."""
    item, time = np.array(items, np.int64), np.array(times, np.float64)
    past = Past(EventLog.from_columns(np.ones(len(item)), item, time))
    past.move_to(len(item))
    return user_numbers(past, past.look([1], [time[-1] + 10]))[0]


def test_only_the_latest_pairs_are_looked_at():
    same = N_PAIRS + 1
    long = of_history([*[2, 3] * 30, *[1] * same], range(60 + same))
    short = of_history([1] * same, range(same))
    assert (long[3:] == short[3:]).all()
    assert long[6] == pytest.approx(np.log(same) / 2)


@pytest.mark.parametrize("items", [[1], [1] * 500, [1, 2] * 250], ids=["one", "same", "never"])
@pytest.mark.parametrize("step", [0.0, 1e-9, 1e9])
def test_are_finite_for_any_history(items, step):
    assert np.isfinite(of_history(items, np.arange(len(items)) * step)).all()


def test_of_a_user_without_events():
    past = Past(random_log(0, n_users=3, n_items=3))
    numbers = user_numbers(past, past.look([1], [0.0]))[0]
    half = np.log(0.5)
    np.testing.assert_allclose(numbers, [half, 0, -1, half, half, half, 0, 0], rtol=1e-6)

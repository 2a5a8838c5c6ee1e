"""Negatives that stand for the whole catalogue."""

import numpy as np
import pytest

from recbole_imn.log import EventLog
from recbole_imn.model.negatives import draw_strata, draw_uniform, sampler
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past


def make_past(item=None):
    rng = np.random.default_rng(0)
    user, drawn = rng.integers(1, 5, 5000), rng.integers(1, 41, 5000)
    log = EventLog.from_columns(
        user, drawn if item is None else item, np.arange(5000.0), n_items=201
    )
    return Past(log)


@pytest.fixture
def past():
    return make_past()


@pytest.mark.parametrize(("n_active", "start"), [(0, 4000), (16, 4000), (512, 4000), (16, 0)])
def test_sums_over_negatives_are_right_on_average(past, n_active, start):
    rng = np.random.default_rng(0)
    values = rng.random(201)
    sums = []
    for _ in range(400):
        drawn = draw_strata(past, start, n_active, 20, rng)
        assert 0 not in drawn.items
        sums.append((values[drawn.items] * np.exp(drawn.log_shares)).sum())
    assert abs(np.mean(sums) - values[1:].sum()) < 4 * np.std(sums) / 20


def test_shares_add_up_to_the_catalogue(past):
    drawn = draw_strata(past, 4000, 16, 20, np.random.default_rng(1))
    assert np.exp(drawn.log_shares).sum() == pytest.approx(200)


def test_items_touched_lately_are_all_there_if_few(past):
    drawn = draw_strata(past, 4000, 512, 20, np.random.default_rng(1))
    weight = np.bincount(drawn.items, np.exp(drawn.log_shares), 201)
    np.testing.assert_allclose(weight[1:41], 1)


def test_what_comes_later_is_not_looked_at(past):
    items = past.log.item.copy()
    items[3000:] = 200
    one, other = (
        draw_strata(found, 3000, 8, 5, np.random.default_rng(1))
        for found in (past, make_past(items))
    )
    assert (one.items == other.items).all()
    assert (one.log_shares == other.log_shares).all()


def test_a_small_catalogue_is_there_as_a_whole(past):
    drawn = draw_strata(past, 4000, 16, 200, np.random.default_rng(1))
    assert drawn.items.tolist() == list(range(1, 201))
    assert not drawn.log_shares.any()


def test_the_paper_draws_from_the_whole_catalogue_and_counts_each_as_one(past):
    draw = sampler(NetworkSettings(n_negatives=30))
    drawn, expected = draw(past, 10, np.random.default_rng(3)), np.random.default_rng(3)
    assert (drawn.items == draw_uniform(past, 30, expected).items).all()
    assert len(drawn.items) == 30
    assert drawn.items.min() >= 1
    assert not drawn.log_shares.any()

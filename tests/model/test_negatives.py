"""Negatives that stand for the whole catalogue."""

import numpy as np
import pytest

from recbole_imn.errors import SettingsError
from recbole_imn.log import EventLog
from recbole_imn.model.negatives import (
    draw_for_each,
    draw_in_batch,
    draw_strata,
    draw_uniform,
    sampler,
)
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
    own = np.array([1, 2])
    drawn, expected = draw(past, 10, own, np.random.default_rng(3)), np.random.default_rng(3)
    assert (drawn.items == draw_uniform(past, 30, expected).items).all()
    assert len(drawn.items) == 30
    assert drawn.items.min() >= 1
    assert not drawn.log_shares.any()


def test_each_row_has_its_own_from_all_other_items(past):
    own = np.repeat([1, 77, 200], 400)
    drawn = draw_for_each(past, own, 30, np.random.default_rng(0))
    assert drawn.items.shape == (1200, 30)
    assert (drawn.items != own[:, None]).all()
    assert not drawn.log_shares.any()
    counts = np.bincount(drawn.items[own == 77].ravel(), minlength=201)
    # All others alike: 12,000 draws of 199 items.
    assert (counts[[0, 77]] == 0).all()
    others = np.delete(counts, [0, 77])
    assert abs(((others - 12000 / 199) ** 2).sum() / (12000 / 199) - 198) < 5 * (2 * 198) ** 0.5


def test_a_catalogue_of_one_item_has_no_others():
    log = EventLog.from_columns([1, 1], [1, 1], [0.0, 1.0], n_items=2)
    drawn = draw_for_each(Past(log), np.array([1, 1]), 5, np.random.default_rng(0))
    assert drawn.items.shape == (2, 0)


@pytest.mark.parametrize("n", [3, 6, 50])
def test_in_a_batch_they_are_the_items_of_its_rows(n):
    own = np.array([4, 4, 9, 2, 4, 7])
    drawn = draw_in_batch(own, n, np.random.default_rng(0)).items
    assert len(drawn) == min(n, 6)
    counts = np.bincount(own, minlength=10) - np.bincount(drawn, minlength=10)
    assert (counts >= 0).all()


@pytest.mark.parametrize("negatives", ["row", "in_batch"])
def test_what_stands_for_the_catalogue_is_drawn_once_a_window(negatives):
    with pytest.raises(SettingsError, match="drawn once a window; set it to window"):
        NetworkSettings(
            negatives=negatives,
            terms=["freshness"],
            search_ranking_weights=False,
            ranking_mse_weight=0.0,
            ranking_nce_weight=1.0,
        )

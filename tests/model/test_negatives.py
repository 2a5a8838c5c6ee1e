"""Negatives that stand for the whole catalogue."""

import numpy as np
import pytest
import torch

from recbole_imn.model.negatives import draw_negatives
from recbole_imn.stream import EventStream


@pytest.fixture
def stream():
    rng = np.random.default_rng(0)
    user, item = rng.integers(1, 5, 5000), rng.integers(1, 41, 5000)
    return EventStream.from_columns(user, item, np.arange(5000.0), n_items=201)


@pytest.mark.parametrize(("n_active", "start"), [(0, 4000), (16, 4000), (512, 4000), (16, 0)])
def test_sums_over_negatives_are_right_on_average(stream, n_active, start):
    torch.manual_seed(0)
    values = torch.rand(201)
    sums = []
    for _ in range(400):
        drawn = draw_negatives(stream, start, n_active, 20)
        assert 0 not in drawn.items
        sums.append((values[drawn.items] * drawn.log_shares.exp()).sum())
    mean, deviation = torch.stack(sums).mean(), torch.stack(sums).std()
    assert abs(mean - values[1:].sum()) < 4 * deviation / 20


def test_shares_add_up_to_the_catalogue(stream):
    shares = draw_negatives(stream, 4000, 16, 20).log_shares.exp()
    assert shares.sum().item() == pytest.approx(200)


def test_items_touched_lately_are_all_there_if_few(stream):
    drawn = draw_negatives(stream, 4000, 512, 20)
    weight = torch.zeros(201).index_add_(0, drawn.items, drawn.log_shares.exp())
    torch.testing.assert_close(weight[1:41], torch.ones(40))


def test_what_comes_later_is_not_looked_at(stream):
    items = stream.item.copy()
    items[3000:] = 200
    changed = EventStream.from_columns(stream.user, items, stream.time, n_items=201)
    torch.manual_seed(1)
    one = draw_negatives(stream, 3000, 8, 5)
    torch.manual_seed(1)
    other = draw_negatives(changed, 3000, 8, 5)
    assert torch.equal(one.items, other.items)


def test_a_small_catalogue_is_there_as_a_whole(stream):
    drawn = draw_negatives(stream, 4000, 16, 200)
    assert torch.equal(drawn.items, torch.arange(1, 201))
    assert torch.equal(drawn.log_shares, torch.zeros(200))

"""The mixture of IMNNetPlus against its definition."""

import numpy as np
import pytest
import torch

from recbole_imn.data.dataset import EVENT_INDEX
from recbole_imn.kernels.mixture_ranking import add_mixture
from recbole_imn.model.negatives import Negatives
from recbole_imn.model.statics import StaticTable
from tests.conftest import PRICED

SWITCHES = [
    {},
    {"sources": [], "calibrate": False},
    {"sources": ["successors"]},
    {"terms": []},
    {"terms": [], "sources": ["own_items"]},
    {"n_active_negatives": 0},
    {"attended_events": 5},
    PRICED,
]


def test_weights_of_the_same_item_add_up():
    scores = torch.zeros(1, 5)
    items = torch.tensor([[2, 2, 4, 0]])
    weights = torch.tensor([[1.0, 2.0, 3.0, -torch.inf]])
    expected = torch.tensor([1.0, 1.0, 1 + np.e + np.e**2, 1.0, 1 + np.e**3]).log()
    torch.testing.assert_close(add_mixture(scores, items, weights)[0], expected.float())


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("options", SWITCHES, ids=str)
def test_the_loss_is_that_of_the_ranking_when_all_items_are_negatives(prepare, options, exact):
    _, dataset, (train, *_), model = prepare(
        "IMNNetPlus", mse_weight=0.0, id_dropout=0.0, **options
    )
    log, network = dataset.log, model.network
    everything = np.arange(1, log.n_items)
    if not exact:
        # Drawn twice, each counts for half.
        everything = np.tile(everything, 2)
    shares = np.full(len(everything), 0.0 if exact else -np.log(2), np.float32)
    network.draw_negatives = lambda past, start, own, rng: Negatives(everything, shares)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    batch = next(iter(train))
    with torch.no_grad():
        loss = model.calculate_loss(batch) * model.rows_per_loss
    events = batch[EVENT_INDEX].numpy()
    rows = events[dataset.history_length[events] > 0]
    scores = model.session.scores_before(rows, 7)[:, 1:]
    right = scores[np.arange(len(rows)), log.item[rows].astype(np.int64) - 1]
    torch.testing.assert_close(loss, (scores.logsumexp(dim=1) - right).sum(), rtol=1e-4, atol=0)


def test_features_of_items_reach_static_embeddings(prepare):
    assert prepare("IMNNetPlus")[-1].network.statics.item.of_features is None
    assert prepare("IMNNetPlus", **PRICED)[-1].network.statics.item.of_features is not None
    features = torch.zeros(4, 2)
    features[1, 0] = 1
    table = StaticTable(4, 8, unit=True, features=features)
    ids = torch.tensor([[1, 2]])
    with torch.no_grad():
        table.of_features.weight.mul_(2)
        rows = table(ids)
        expected = table.table(ids) + features[ids] @ table.of_features.weight.t()
    assert rows.shape == (1, 2, 8)
    torch.testing.assert_close(rows, torch.nn.functional.normalize(expected, dim=-1))


def test_ids_that_training_never_saw_share_one_learned_row():
    table = StaticTable(6, 8, unit=False, n_known=4, dropout=0.5)
    with torch.no_grad():
        rows = table(torch.arange(6))
        assert torch.equal(rows[4], table.unseen)
        assert torch.equal(rows[5], table.unseen)
        assert torch.equal(rows[:4], table.table.weight)
        table.grow(50)
        assert torch.equal(table(torch.tensor([49]))[0], table.unseen)


def test_left_out_ids_read_the_learned_row_for_the_length_of_a_window():
    table = StaticTable(400, 4, unit=False, n_known=400, dropout=0.25)
    ids = torch.arange(400)
    table.salt = 3
    left = (table(ids) == table.unseen).all(dim=1)
    assert not left[0]
    assert 0.15 < left.float().mean().item() < 0.35
    assert torch.equal((table(ids.flip(0)) == table.unseen).all(dim=1).flip(0), left)
    table.salt = 4
    assert not torch.equal((table(ids) == table.unseen).all(dim=1), left)
    table.salt = None
    assert torch.equal(table(ids), table.table.weight)


def test_random_rows_of_new_ids_do_not_depend_on_when_they_come():
    torch.manual_seed(0)
    one, other = StaticTable(3, 8, unit=True), StaticTable(3, 8, unit=True)
    other.load_state_dict(one.state_dict())
    one.grow(9)
    for n in (4, 7, 9):
        other.grow(n)
    assert torch.equal(one(torch.arange(9)), other(torch.arange(9)))

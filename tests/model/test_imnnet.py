"""What RecBole needs of IMNNet, and what it must never do."""

import copy

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_imn.data.dataset import EVENT_INDEX
from recbole_imn.model.imnnet import IMNNet
from recbole_imn.stream import EventStream

VARIANTS = [
    {},
    {"resource_branch": "none"},
    {"positive_state": "after", "conditioning": "none", "static_geometry": "free"},
    {"mse_weight": 0.0, "context_start": "random", "elapsed_scale": "linear"},
    {"nce_weight": 0.0, "user_drift_weight": 0.1, "item_drift_weight": 0.1},
]


def train_one_epoch(model, loader):
    weights = list(model.parameters())
    for batch in loader:
        loss = model.calculate_loss(batch)
        assert loss.ndim == 0
        for weight in weights:
            weight.grad = None
        loss.backward()
        with torch.no_grad():
            for weight in weights:
                if weight.grad is not None:
                    weight -= 0.1 * weight.grad.to_dense()


@pytest.mark.parametrize("options", VARIANTS)
def test_scores_agree_between_predict_and_full_sort(prepare, options):
    _, _, (train, _, test), model = prepare("IMNNet", **options)
    train_one_epoch(model, train)
    model.eval()
    rows = test._dataset[np.arange(len(test._dataset))]
    full = model.full_sort_predict(rows)
    assert full.shape == (len(rows), model.n_items)
    assert torch.isfinite(full).all()
    single = model.predict(rows)
    assert single.shape == (len(rows),)
    torch.testing.assert_close(single, full.gather(1, rows["item_id"][:, None])[:, 0])


def test_rows_may_come_in_any_order(prepare):
    _, _, (train, valid, test), model = prepare("IMNNet")
    train_one_epoch(model, train)
    rows = test._dataset[np.arange(len(test._dataset))]
    expected = model.full_sort_predict(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    for piece in np.array_split(order, 4):
        torch.testing.assert_close(
            model.full_sort_predict(rows[piece]), expected[piece], rtol=0, atol=1e-5
        )
        model.full_sort_predict(valid._dataset[[0]])  # another part in between


def test_scores_follow_the_weights(prepare):
    _, _, (train, _, test), model = prepare("IMNNet")
    rows = test._dataset[np.arange(len(test._dataset))]
    before = model.full_sort_predict(rows)
    assert torch.equal(model.full_sort_predict(rows), before)
    saved = copy.deepcopy(model.state_dict())
    train_one_epoch(model, train)
    assert not torch.equal(model.full_sort_predict(rows), before)
    model.load_state_dict(saved)
    assert torch.equal(model.full_sort_predict(rows), before)


def test_a_fresh_model_survives_the_flop_counter(prepare):
    from logging import getLogger

    from recbole.data.transform import construct_transform
    from recbole.utils import get_flops

    config, dataset, _, model = prepare("IMNNet")
    flops = get_flops(model, dataset, torch.device("cpu"), getLogger(), construct_transform(config))
    assert flops > 0
    assert model.playback.position == 0


def test_a_window_continues_where_the_last_one_ended(prepare):
    _, _, (train, *_), model = prepare("IMNNet")
    batches = list(train)
    torch.manual_seed(0)
    model.calculate_loss(batches[0])
    expected = model.calculate_loss(batches[1])
    states = model.network.users.read_all()
    model.playback.rewind()
    torch.manual_seed(0)
    torch.randint(1, model.n_items, (model.network.settings.n_negatives,))
    # Reached from the beginning by a replay.
    torch.testing.assert_close(model.calculate_loss(batches[1]), expected)
    torch.testing.assert_close(model.network.users.read_all(), states)


def test_batches_must_be_consecutive(prepare):
    _, _, _, model = prepare("IMNNet")
    with pytest.raises(ValueError, match="consecutive events"):
        model.calculate_loss(Interaction({EVENT_INDEX: torch.tensor([3, 1, 2])}))


def test_rows_without_an_event_index_are_refused(prepare):
    _, _, _, model = prepare("IMNNet")
    with pytest.raises(ValueError, match="no field event_index"):
        model.predict(Interaction({"item_id": torch.tensor([1])}))


def test_checkpoints_hold_weights_but_no_states(prepare):
    _, _, _, model = prepare("IMNNet")
    assert not [name for name in model.state_dict() if name.endswith(("states", "known"))]


def changed_future(stream, k, seed):
    """The stream with everything after event k, and what k itself is, replaced."""
    rng = np.random.default_rng(seed)
    n = len(stream)
    item, user = stream.item.copy(), stream.user.copy()
    behaviour, purchase = stream.behaviour.copy(), stream.purchase.copy()
    time = stream.time.copy()
    item[k:] = rng.integers(1, stream.n_items, n - k)
    behaviour[k:] = rng.integers(1, stream.n_behaviours, n - k)
    purchase[k:] = rng.random(n - k) < 0.5
    user[k + 1 :] = rng.integers(1, stream.n_users, n - k - 1)
    time[k + 1 :] = time[k] + np.cumsum(rng.random(n - k - 1))
    return EventStream.from_columns(
        user, item, time, behaviour, purchase, None,
        stream.n_users, stream.n_items, stream.n_behaviours,
    )  # fmt: skip


@pytest.mark.parametrize("options", VARIANTS)
def test_scores_do_not_know_the_future(prepare, options):
    config, dataset, (train, _, test), model = prepare("IMNNet", **options)
    train_one_epoch(model, train)
    row = len(test._dataset) // 2
    k = int(test._dataset.inter_feat[EVENT_INDEX][row])
    rows = test._dataset[np.arange(row + 1)]
    expected = model.full_sort_predict(rows)

    other = copy.copy(train._dataset)
    other.stream = changed_future(dataset.stream, k, seed=1)
    twin = IMNNet(config, other)
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin.full_sort_predict(rows), expected)


def test_scores_do_know_the_past(prepare):
    config, dataset, (train, _, test), model = prepare("IMNNet")
    train_one_epoch(model, train)
    rows = test._dataset[np.arange(len(test._dataset))]
    other = copy.copy(train._dataset)
    other.stream = changed_future(dataset.stream, 10, seed=1)
    twin = IMNNet(config, other)
    twin.load_state_dict(model.state_dict())
    assert not torch.equal(twin.full_sort_predict(rows), model.full_sort_predict(rows))

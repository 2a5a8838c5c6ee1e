"""What RecBole needs of IMNNet, and what it must never do."""

import copy

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_imn.data.dataset import EVENT_INDEX
from recbole_imn.errors import SettingsError
from recbole_imn.evaluation.benchmark.plan import TRIVIAL
from recbole_imn.model.imnnet import IMNNet
from recbole_imn.session.replay import plain_replay
from tests.conftest import PRICED
from tests.session.streams import dataset_of, log_until, with_other_future

FULL_BRANCH = {"resource_branch": "full", "inventory_features": ["behavior"]}
VARIANTS = [
    {},
    {**FULL_BRANCH, "fusion": "concat", "cell": "lstm"},
    {"fusion": "product", "cell": "gru"},
    {"fusion": "gate"},
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


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("IMNNet", options) for options in VARIANTS),
        ("IMNNetPlus", {}),
        ("IMNNetPlus", PRICED),
        ("IMNNetPlus", {"sources": [], "calibrate": False}),
        ("IMNNetPlus", {"terms": [], "sources": ["own_items"]}),
        ("IMNNetPlus", {"sources": ["predecessors"], "unseen_ids": "learned"}),
    ],
)
def test_scores_agree_between_predict_and_full_sort(prepare, name, options):
    _, _, (train, _, test), model = prepare(name, **options)
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
        assert torch.equal(model.full_sort_predict(rows[piece]), expected[piece])
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
    assert model.session.position == 0


def test_a_window_continues_where_the_last_one_ended(prepare):
    _, _, (train, *_), model = prepare("IMNNet")
    batches = list(train)
    model.calculate_loss(batches[0])
    expected = model.calculate_loss(batches[1])
    states = model.network.states.users.read(torch.arange(len(model.network.states.users.states)))
    model.session.rewind()
    # Reached from the beginning by a replay.
    torch.testing.assert_close(model.calculate_loss(batches[1]), expected)
    torch.testing.assert_close(
        model.network.states.users.read(torch.arange(len(model.network.states.users.states))),
        states,
    )


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


CASES = [("IMNNet", options) for options in VARIANTS] + [
    ("JODIE", {}),
    ("JODIE", {"online_updates": True, "first_events": True}),
    ("IMN_MSE", {}),
    ("IMN_NCE", {}),
    ("IMNNetStar", {}),
    ("IMNNetLiteral", {}),
    ("IMNNetPlus", {}),
    ("IMNNetPlus", PRICED),
    ("LastItem", {}),
    ("RecentHistory", {}),
    ("Popularity", {}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_scores_do_not_know_the_future(prepare, name, options):
    config, dataset, (train, _, test), model = prepare(name, **options)
    if name not in TRIVIAL:
        train_one_epoch(model, train)
    row = len(test._dataset) // 2
    k = int(test._dataset.inter_feat[EVENT_INDEX][row])
    rows = test._dataset[np.arange(row + 1)]
    expected = model.full_sort_predict(rows)

    other = dataset_of(train._dataset, with_other_future(dataset.log, k))
    twin = type(model)(config, other)
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin.full_sort_predict(rows), expected)


@pytest.mark.parametrize("options", VARIANTS[:3])
def test_dropping_later_events_changes_nothing(prepare, options):
    config, dataset, (train, _, test), model = prepare("IMNNet", **options)
    train_one_epoch(model, train)
    rows = test._dataset[np.arange(len(test._dataset) - 7)]
    expected = model.full_sort_predict(rows)
    n = int(rows[EVENT_INDEX][-1]) + 1
    other = dataset_of(train._dataset, log_until(dataset.log, n))
    twin = IMNNet(config, other)
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin.full_sort_predict(rows), expected)


def test_online_updates_learn_and_are_forgotten(prepare):
    _, _, (train, valid, test), model = prepare("JODIE", online_updates=True, train_batch_size=8)
    train_one_epoch(model, train)
    weights = copy.deepcopy(model.state_dict())
    rows = test._dataset[np.arange(len(test._dataset))]
    scores = model.full_sort_predict(rows)
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name]), name
    # Another part in between does not change them.
    model.full_sort_predict(valid._dataset[[0, 1]])
    assert torch.equal(model.full_sort_predict(rows), scores)
    start = model.session.replay.bounds[2]
    model.session.replay = plain_replay
    model.session.weights_changed()
    frozen = model.full_sort_predict(rows)
    first = rows[EVENT_INDEX] < start + 8
    assert torch.equal(frozen[first], scores[first])
    assert not torch.equal(frozen, scores)


def test_what_was_learned_online_ends_with_its_part_of_the_log(prepare):
    _, _, (train, valid, test), model = prepare("JODIE", online_updates=True, train_batch_size=8)
    train_one_epoch(model, train)
    ids = {name: loader._dataset for name, loader in (("valid", valid), ("test", test))}
    rows = {name: part[np.arange(len(part))] for name, part in ids.items()}
    expected = model.full_sort_predict(rows["test"])
    session, log = model.session, model.session.past.log
    session.weights_changed()
    present = session.scores(session.query([3], log.time[-1:]))
    assert torch.equal(model.full_sort_predict(rows["test"]), expected)
    assert torch.equal(session.scores(session.query([3], log.time[-1:])), present)
    # From states that validation has learned from, and with a question in between.
    session.weights_changed()
    model.full_sort_predict(rows["valid"])
    assert torch.equal(model.full_sort_predict(rows["test"]), expected)
    session.weights_changed()
    half = len(expected) // 2
    found = [model.full_sort_predict(rows["test"][:half])]
    session.query([3], log.time[-1:])
    session.seek(session.replay._start)
    found.append(model.full_sort_predict(rows["test"][half:]))
    assert torch.equal(torch.cat(found), expected)


def test_online_updates_leave_tables_of_ids_and_freshness(prepare, toy):
    items = "".join(f"i{number}\t{number}\n" for number in range(1, 21))
    (toy / "toy" / "toy.item").write_text(f"item_id:token\tprice:float\n{items}")
    columns = {"inter": ["user_id", "item_id", "timestamp", "behavior", "purchase"]}
    _, _, (train, _, test), model = prepare(
        "IMNNetPlus",
        online_updates=True,
        train_batch_size=8,
        item_features=["price"],
        load_col={**columns, "item": ["item_id", "price"]},
    )
    train_one_epoch(model, train)
    learned = {id(weight) for weight in model.session.replay.weights}
    assert id(model.network.products["taste"].users.weight) not in learned
    assert id(model.network.cell_term.table) not in learned
    assert id(model.network.pointer.bias) in learned
    assert torch.isfinite(model.full_sort_predict(test._dataset[[0, 1]])[:, 1:]).all()


def test_first_events_are_rows_where_asked(prepare):
    _, dataset, loaders, model = prepare("JODIE", first_events=True)
    assert sum(len(loader._dataset) for loader in loaders) == len(dataset.log)
    assert model.network.settings.first_events
    first = np.flatnonzero(dataset.history_length == 0)
    rows = Interaction({EVENT_INDEX: torch.from_numpy(first)})
    assert torch.isfinite(model.full_sort_predict(rows)).all()


def test_the_full_branch_needs_the_shelf(prepare):
    with pytest.raises(SettingsError, match="name columns of the log in inventory_features"):
        prepare("IMNNet", resource_branch="full")


def test_presets_are_what_their_names_say(prepare):
    settings = {
        name: prepare(name)[3].network.settings
        for name in ("IMN_MSE", "IMN_NCE", "IMNNetStar", "IMNNetLiteral")
    }
    assert settings["IMNNetLiteral"].positive_state == "after"
    assert settings["IMNNetLiteral"].conditioning == "none"
    assert all(not found.terms and not found.sources for found in settings.values())
    assert (settings["IMN_MSE"].mse_weight, settings["IMN_MSE"].nce_weight) == (1, 0)
    assert (settings["IMN_NCE"].mse_weight, settings["IMN_NCE"].nce_weight) == (0, 1)
    assert settings["IMNNetStar"].resource_branch == "none"


def test_scores_do_know_the_past(prepare):
    config, dataset, (train, _, test), model = prepare("IMNNet")
    train_one_epoch(model, train)
    rows = test._dataset[np.arange(len(test._dataset))]
    other = dataset_of(train._dataset, with_other_future(dataset.log, 10))
    twin = IMNNet(config, other)
    twin.load_state_dict(model.state_dict())
    assert not torch.equal(twin.full_sort_predict(rows), model.full_sort_predict(rows))

"""What every strong baseline must do, and what it must never do."""

import numpy as np
import pytest
import torch
from recbole.utils import get_trainer

from recbole_imn import registry
from recbole_imn.data.dataset import EVENT_INDEX
from recbole_imn.past import Past
from recbole_imn.preparation import make_model
from tests.session.streams import columns, dataset_of, log_until, with_other_future

SMALL = {"hidden_size": 16, "inner_size": 32, "n_heads": 2, "train_batch_size": 8, "n_trees": 15}
SMALL |= {"min_leaf_candidates": 10, "n_leaves": 7}
MODELS = registry.STRONG_BASELINES


@pytest.fixture(params=MODELS)
def fitted(request, prepare):
    """Name, config, loaders and a model that was trained."""
    options = {**SMALL, "epochs": 3} if request.param == "ESASRec" else SMALL
    config, _, loaders, model = prepare(request.param, **options)
    trainer = get_trainer(config["MODEL_TYPE"], request.param)(config, model)
    trainer.fit(*loaders[:2], saved=False)
    return request.param, config, loaders, model.eval()


def rows_of(loader):
    return loader._dataset[np.arange(len(loader._dataset))]


def test_scores_do_not_know_the_future(fitted):
    _, config, (train, _, test), model = fitted
    row = len(test._dataset) // 2
    k = int(test._dataset.inter_feat[EVENT_INDEX][row])
    rows = test._dataset[np.arange(row + 1)]
    expected = model.full_sort_predict(rows)
    other = dataset_of(train._dataset, with_other_future(train._dataset.log, k))
    twin = type(model)(config, other).eval()
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin.full_sort_predict(rows), expected)


def test_rows_do_not_see_each_other(fitted):
    _, _, (_, _, test), model = fitted
    rows = rows_of(test)
    scores = model.full_sort_predict(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    assert torch.equal(model.full_sort_predict(rows[order]), scores[order])
    for row in (0, 3, len(rows) - 1):
        assert torch.equal(model.full_sort_predict(rows[[row]]), scores[[row]])
    single = model.predict(rows)
    assert torch.equal(single, scores.gather(1, rows["item_id"][:, None])[:, 0])


def test_no_two_items_have_the_same_score(fitted):
    _, _, (_, _, test), model = fitted
    for row in model.full_sort_predict(rows_of(test))[:, 1:]:
        assert len(set(row.tolist())) == len(row)


@pytest.mark.parametrize(
    "fitted", [*MODELS, "LastItem", "RecentHistory", "Popularity"], indirect=True
)
def test_events_observed_one_by_one_are_ranked_alike(fitted):
    _, _, (_, _, test), model = fitted
    rows = rows_of(test)
    expected = model.full_sort_predict(rows)
    log, start = test._dataset.log, test._dataset.event_bounds[2]
    model.past = Past(log_until(log, start))
    model.past.move_to(start)
    for event in range(start, len(log)):
        model.past.observe(columns(log, event, event + 1))
        # A row is judged by what was observed before it, and nothing else is there.
        for row in np.flatnonzero(rows[EVENT_INDEX].numpy() == event):
            assert torch.equal(model.full_sort_predict(rows[[row]]), expected[[row]])


def test_the_same_seed_gives_the_same_bits(fitted):
    name, config, _, model = fitted
    _, loaders, twin = make_model(config)
    get_trainer(config["MODEL_TYPE"], name)(config, twin).fit(*loaders[:2], saved=False)
    for key, value in model.state_dict().items():
        assert torch.equal(twin.state_dict()[key], value)


@pytest.mark.parametrize("name", MODELS)
def test_users_first_events_can_be_rows(prepare, name):
    _, dataset, _, model = prepare(name, first_events=True)
    rows = dataset[np.flatnonzero(dataset.history_length == 0)]
    assert len(rows) > 0
    scores = model.eval().full_sort_predict(rows)
    assert scores.isfinite().all()


@pytest.mark.parametrize("name", MODELS)
def test_they_are_above_popularity_where_users_come_back(toy, prepare, name):
    """Each user of this log goes round three items of his own."""
    rows = [(f"u{k % 9}", f"i{k % 9}-{k // 9 % 3}", 60 * k, "view", 0) for k in range(9 * 40)]
    from tests.conftest import write_log

    write_log(toy, "rounds", rows)
    values = {}
    for model in ("Popularity", name):
        learns = {"epochs": 12, "learning_rate": 0.01, "MAX_ITEM_LIST_LENGTH": 5}
        options = SMALL | (learns if model == "ESASRec" else {})
        config, _, (train, valid, test), network = prepare(model, dataset="rounds", **options)
        trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
        trainer.fit(train, valid)
        values[model] = trainer.evaluate(test)["ndcg@5"]
    assert values[name] > values["Popularity"] + 0.3

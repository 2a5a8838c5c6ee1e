"""What is particular to boosted trees."""

import sys

import numpy as np
import pytest
from recbole.utils import get_trainer

from recbole_imn.errors import SettingsError
from recbole_imn.rank_metrics import rank_metric
from tests.session.streams import dataset_of, with_other_future

SMALL = {"n_trees": 15, "n_leaves": 7, "min_leaf_candidates": 10}


def test_lessons_are_the_latest_training_rows_whose_item_is_a_candidate(prepare):
    _, dataset, _, model = prepare("LambdaRank", ranked_rows=40, **SMALL)
    columns, labels, sizes = model._lessons()
    assert len(sizes) == 40
    assert sum(map(len, columns)) == len(labels) == sizes.sum()
    assert (np.add.reduceat(labels, np.append(0, np.cumsum(sizes)[:-1])) == 1).all()
    _, _, all_sizes = prepare("LambdaRank", **SMALL)[3]._lessons()
    assert 40 < len(all_sizes) <= dataset.event_bounds[1]


def test_lessons_know_nothing_of_what_comes_after_them(prepare):
    """Whatever the last training events are, earlier rows are told the same."""
    config, dataset, (train, *_), model = prepare("LambdaRank", **SMALL)
    k = dataset.event_bounds[1] - 60
    other = dataset_of(train._dataset, with_other_future(dataset.log, k, seed=3))
    twin = type(model)(config, other)
    rows = np.arange(k - 50, k)
    pairs = zip(model._candidates_of(rows), twin._candidates_of(rows), strict=True)
    for (events, found), (other_events, others) in pairs:
        assert np.array_equal(events, other_events)
        assert np.array_equal(found.items, others.items)
        assert np.array_equal(found.columns, others.columns, equal_nan=True)


def test_the_number_of_trees_is_the_best_on_validation(prepare):
    _, _, (_, valid, _), model = prepare("LambdaRank", **SMALL)
    model.learn()
    rows, metric = valid._dataset.inter_feat["event_index"].numpy(), rank_metric("NDCG@5")
    told = model.choose(rows, metric)
    chosen, values = int(model.n_used), []
    for number in range(1, 16):
        model.n_used.fill_(number)
        scores = model.full_sort_predict(valid._dataset[np.arange(len(rows))]).numpy()
        own = scores[np.arange(len(rows)), model.past.log.item[rows]][:, None]
        ranks = 1.0 + (scores[:, 1:] > own).sum(axis=1)
        # A target that is no candidate counts as not found.
        values.append(metric(np.where(own[:, 0] >= 1, ranks, np.inf)).mean())
    assert chosen == 1 + int(np.argmax(values))
    assert f"{max(values):.4f}" in told


def test_without_the_library_it_is_told_what_to_install(prepare, monkeypatch):
    config, _, loaders, model = prepare("LambdaRank")
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(SettingsError, match=r"lightgbm.*pip install 'recbole_imn\[baselines\]'"):
        get_trainer(config["MODEL_TYPE"], "LambdaRank")(config, model).fit(*loaders[:2])


def test_trees_of_a_checkpoint_are_checked(prepare):
    _, _, _, model = prepare("LambdaRank", **SMALL)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    state["tree_left"][0, 2] = 1
    with pytest.raises(ValueError, match="neither a later node nor a leaf"):
        model.load_state_dict(state)
    state["tree_left"][0, 2], state["n_used"] = -1, state["n_used"] + 1
    with pytest.raises(ValueError, match="16 of 15 trees are used"):
        model.load_state_dict(state)


def test_nothing_to_learn_from_is_told(prepare):
    _, _, _, model = prepare("LambdaRank")
    model._training_rows = lambda: np.arange(1)
    with pytest.raises(SettingsError, match="nothing to learn from"):
        model.learn()

"""Trees as arrays say what the library says."""

import numpy as np
import pytest

from recbole_imn.baselines.trees import Trees, add_trees, check_trees, no_trees, parse_trees

lightgbm = pytest.importorskip("lightgbm")


@pytest.fixture(scope="module")
def grown():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(500, 4)).astype(np.float32)
    columns[rng.random((500, 4)) < 0.2] = np.nan
    columns[:, 3] = rng.integers(0, 3, 500)  # nothing is missing here
    noise = rng.normal(size=500)
    labels = (
        np.nan_to_num(columns[:, 0]) + np.nan_to_num(columns[:, 1]) ** 2 + noise > columns[:, 3]
    )
    options = {"objective": "lambdarank", "num_leaves": 7, "verbosity": -1, "num_threads": 1}
    data = lightgbm.Dataset(columns, labels.astype(int), group=[10] * 50)
    return lightgbm.train({**options, "min_data_in_leaf": 5}, data, 12), columns


@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_scores_are_those_of_the_library(grown, missing):
    booster, columns = grown
    columns = columns.copy()
    # Also where nothing was missing in training.
    columns[np.random.default_rng(1).random(columns.shape) < missing] = np.nan
    trees = parse_trees(booster.model_to_string(), 15, 7)
    scores = np.zeros(len(columns))
    add_trees(columns, trees, 0, 15, scores)
    np.testing.assert_allclose(scores, booster.predict(columns), rtol=0, atol=1e-12)
    assert len(np.unique(scores)) > 20


def test_trees_are_added_one_after_the_other(grown):
    booster, columns = grown
    trees = parse_trees(booster.model_to_string(), 12, 7)
    whole, parts = np.zeros(len(columns)), np.zeros(len(columns))
    add_trees(columns, trees, 0, 12, whole)
    for first, last in ((0, 5), (5, 6), (6, 12)):
        add_trees(columns, trees, first, last, parts)
    assert np.array_equal(whole, parts)


def test_missing_trees_say_nothing():
    scores = np.ones(3)
    add_trees(np.zeros((3, 2), np.float32), no_trees(4, 5), 0, 4, scores)
    assert scores.tolist() == [1, 1, 1]
    check_trees(no_trees(4, 5), 1)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("column", 4, "outside 0..3"),
        ("left", 0, "neither a later node nor a leaf"),
        ("right", 7, "neither a later node nor a leaf"),
        ("left", -8, "neither a later node nor a leaf"),
    ],
)
def test_trees_that_lead_astray_are_refused(grown, name, value, told):
    trees = parse_trees(grown[0].model_to_string(), 12, 7)
    check_trees(trees, 4)
    changed = getattr(trees, name).copy()
    changed[2, 1] = value
    with pytest.raises(ValueError, match=told):
        check_trees(Trees(**{**trees._asdict(), name: changed}), 4)


def test_categories_are_refused():
    text = (
        "tree\n\nTree=0\nnum_leaves=2\nsplit_feature=0\nthreshold=0\ndecision_type=1\n"
        "left_child=-1\nright_child=-2\nleaf_value=1 2\n\n\n"
    )
    with pytest.raises(ValueError, match="by categories"):
        parse_trees(text, 1, 2)

"""Items with features are the same ones, whichever setting names the features for a model."""

import numpy as np

from recbole_imn.evaluation.benchmark.run import _features_of_items
from recbole_imn.evaluation.slices import described_items
from tests.reliability.logs import CE, RICH, rich_items, write_rich


def test_a_model_of_recbole_has_the_slices_of_all_others(prepare, toy):
    items = rich_items()
    unknown = list(items)[::3]
    for item in unknown:
        items[item][0] = ""
    write_rich(toy, "shop", items=items)
    ours = prepare("IMNNet", dataset="shop", **{**RICH, "item_features": ["brand"]})[1]
    options = {**RICH, **CE, "item_features": [], "selected_features": ["brand"]}
    theirs = prepare("GRU4RecF", dataset="shop", **options)[1]
    assert theirs.item_features.shape[1] == 0
    described = described_items(_features_of_items(theirs))
    assert np.array_equal(described, described_items(_features_of_items(ours)))


def test_without_features_there_is_no_such_slice(prepare):
    dataset = prepare("SASRec", train_neg_sample_args=None)[1]
    assert described_items(_features_of_items(dataset)) is None

"""Sequences that are reduced to components of the training part."""

import logging

import numpy as np
import pytest

from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.errors import DataError, SettingsError
from tests.data.feature_maps.cells import cells_of_items
from tests.reliability.logs import rich_items, rich_rows


def wide_items(n_numbers=40):
    rng, items = np.random.default_rng(3), rich_items()
    for cells in items.values():
        cells[3] = " ".join(f"{number:.4f}" for number in rng.normal(size=n_numbers))
    return items


def test_wide_images_are_reduced_by_themselves_on_training_items_only(load, caplog):
    caplog.set_level(logging.INFO)
    rows, items = [row for row in rich_rows() if row[1] != "i7"], wide_items()
    rows[-1][1] = "i7"
    before = load(rows, items)
    # Items less one training item span fewer than 32 dimensions.
    width = before.feature_maps["item_features"].widths["image"]
    assert 0 < width < 20
    assert before.item_feat["image"].shape == (before.item_num, width)
    assert "image: 40 numbers are reduced to" in caplog.text
    items["i7"][3] = " ".join(["5.5"] * 40)
    after = load(rows, items)
    moved = (before.item_features != after.item_features).any(dim=1)
    assert moved.nonzero().flatten().tolist() == [before.field2token_id["item_id"]["i7"]]
    assert (
        before.feature_maps["item_features"].to_values()
        == after.feature_maps["item_features"].to_values()
    )


def test_components_are_part_of_the_map(load):
    items = wide_items()
    dataset = load(items=items, reduced_features={"image": 4})
    ids = [dataset.field2token_id["item_id"][item] for item in items]
    values = dataset.feature_maps["item_features"].to_values()
    matrix = FeatureMap.from_values(values).transform_cells(cells_of_items(items.values()))
    assert matrix.tobytes() == dataset.item_features.numpy()[ids].tobytes()
    assert matrix[:, -4:].std() > 0.5


def test_reduction_may_be_turned_off(load):
    dataset = load(items=wide_items(), reduced_features={})
    assert dataset.feature_maps["item_features"].widths["image"] == 40


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"looks": 4}, "'looks', which is no column that was loaded"),
        ({"price": 4}, "'price', which is float; sequences"),
        ({"image": 0}, "image"),
        ({"timestamp": 4}, "'timestamp', which the stream needs as it is"),
    ],
)
def test_what_cannot_be_reduced_is_refused(load, setting, message):
    with pytest.raises(SettingsError, match=message):
        load(reduced_features=setting)


def test_a_far_vector_that_was_reduced_names_the_file(load):
    rows, items = [row for row in rich_rows() if row[1] != "i7"], wide_items()
    rows[-1][1] = "i7"
    items["i7"][3] = " ".join(["1e30", *["0"] * 39])
    with pytest.raises(DataError, match=r"rich\.item: image is -?\d.*, too far from all"):
        load(rows, items)


def test_equal_images_have_no_component(load):
    items = {item: [*cells[:3], " ".join(["0.1"] * 40)] for item, cells in rich_items().items()}
    dataset = load(items=items, reduced_features={"image": 2}, normalize_all=True)
    assert dataset.feature_maps["item_features"].widths["image"] == 0
    assert dataset.item_feat["image"].shape == (dataset.item_num, 0)

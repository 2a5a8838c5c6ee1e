"""The matrices of what is fitted, plain values, and rows that come later."""

import warnings

import numpy as np
import pytest
import torch

from recbole_imn.data.feature_maps import FarValue, FeatureMap
from recbole_imn.data.field_maps import FieldMap
from recbole_imn.errors import DataError
from tests.data.feature_maps.cells import KEYS, cells_of_items
from tests.reliability.logs import rich_items, rich_rows


def former_matrix(parts, inside):
    """The matrix by the formula that first made it, in one piece and from the whole columns."""
    columns = []
    for kind, values in parts:
        if kind == "token":
            columns.append((values[:, None] == np.union1d(0, values[inside])).astype(np.float64))
        elif kind == "token_seq":
            known = np.setdiff1d(values[inside], 0)
            hot = [(values == category).any(axis=1) for category in known]
            columns.append(np.stack([np.zeros(len(values)), *hot], axis=1)[:, 1:])
        else:
            columns.append(np.asarray(values, np.float64).reshape(len(values), -1))
    numbers = np.concatenate(columns, axis=1)
    reference = numbers[inside]
    equal = reference.min(axis=0) == reference.max(axis=0)
    deviation = np.where(equal, 1.0, reference.std(axis=0))
    mean = np.where(equal, reference[0], reference.mean(axis=0))
    return ((numbers - mean) / deviation).astype(np.float32)


def item_parts(dataset):
    for field in dataset.names("item_features"):
        values = dataset.item_feat[field].numpy()
        if field in (dataset.config["numerical_features"] or ()):
            values = values.prod(axis=-1)
        yield dataset.field2type[field].value, values


def event_parts(dataset, key):
    for field in dataset.names(key):
        kind, values = dataset.field2type[field].value, dataset.table[field].to_numpy()
        if field in (dataset.config["numerical_features"] or ()):
            values = np.array([np.prod(pair) for pair in values])
        if kind == "token_seq":
            ids = np.zeros((len(values), dataset.field2seqlen[field]))
            for row, sequence in zip(ids, values, strict=True):
                row[: len(sequence)] = sequence
            values = ids
        yield kind, values


def training_items(dataset):
    inside = np.zeros(dataset.item_num, np.bool_)
    inside[dataset.log.item[: dataset.event_bounds[1]]] = True
    return inside


# -- the matrices -----------------------------------------------------------------------------


def test_the_matrix_of_items_is_the_former_one_to_the_bit(load, case):
    dataset = load(**case)
    expected = former_matrix(item_parts(dataset), training_items(dataset))
    expected[0] = 0
    assert dataset.item_features.numpy().tobytes() == expected.tobytes()
    assert dataset.item_features.shape[1] == sum(
        dataset.feature_maps["item_features"].widths.values()
    )


def test_the_matrices_of_events_are_the_former_ones_to_the_bit(load, case):
    dataset = load(**case)
    for key in ("event_features", "inventory_features"):
        expected = former_matrix(event_parts(dataset, key), dataset.in_training)
        found = dataset.log.features if key == "event_features" else dataset.log.inventory
        assert found.tobytes() == expected.tobytes()


def test_the_maps_of_a_data_set_have_the_names_of_its_settings(load):
    dataset = load()
    assert set(dataset.feature_maps) == set(KEYS)
    names = dataset.feature_maps["event_features"].names
    assert names[:2] == ["paid", "kind="]
    assert sorted(names[2:5]) == ["kind=k0", "kind=k1", "kind=k2"]
    assert dataset.feature_maps["item_features"].names[-2:] == ["image[0]", "image[1]"]
    assert len(names) == dataset.log.features.shape[1]


def test_without_features_maps_are_empty(load):
    dataset = load(event_features=[], inventory_features=[], item_features=[])
    assert [dataset.feature_maps[key].names for key in KEYS] == [[], [], []]
    assert dataset.item_features.shape == (dataset.item_num, 0)


# -- plain values -----------------------------------------------------------------------------


def is_plain(values):
    if isinstance(values, dict):
        return all(type(key) is str and is_plain(value) for key, value in values.items())
    if isinstance(values, list):
        return all(map(is_plain, values))
    return values is None or type(values) in (bool, int, float, str)


def test_plain_values_give_the_same_map(load, case, tmp_path):
    dataset = load(**case)
    cells = cells_of_items(rich_items().values())
    for key in KEYS:
        fitted = dataset.feature_maps[key]
        assert is_plain(fitted.to_values())
        torch.save(fitted.to_values(), tmp_path / "map.pth")
        again = FeatureMap.from_values(torch.load(tmp_path / "map.pth", weights_only=True))
        assert again.to_values() == fitted.to_values()
        if key == "item_features":
            assert again.transform_cells(cells).tobytes() == fitted.transform_cells(cells).tobytes()


@pytest.mark.parametrize("name", ["fields", "owners", "mean", "constant"])
@pytest.mark.parametrize("value", [None, 7, [7], [{"name": "x"}], {}])
def test_values_that_are_no_map_are_refused(load, name, value):
    values = load().feature_maps["item_features"].to_values()
    with pytest.raises(DataError, match="values are no map of features"):
        FeatureMap.from_values({**values, name: value})


# -- rows that come later ---------------------------------------------------------------------


def test_cells_become_the_rows_that_the_data_set_has(load, case):
    items = rich_items()
    items["i3"][1], items["i4"][0], items["i5"][3] = "", "", ""
    rows = [row for row in rich_rows() if row[1] != "i7"]
    items["i7"] = ["b9", "2.5", "g9 g1", "0.5 1.5"]  # new after training
    rows[-1][1] = "i7"
    dataset = load(rows, items, **case)
    ids = [dataset.field2token_id["item_id"][item] for item in items]
    expected = dataset.item_features.numpy()[ids]
    fitted = dataset.feature_maps["item_features"]
    cells = cells_of_items(items.values())
    assert fitted.transform_cells(cells).tobytes() == expected.tobytes()
    for place, row in enumerate(expected):
        one = {name: column[place : place + 1] for name, column in cells.items()}
        assert fitted.transform_cells(one).tobytes() == row.tobytes()


def test_cells_of_events_become_their_features(load, case):
    dataset = load(**case)
    rows = rich_rows()
    cells = {
        "paid": [float(row[5]) for row in rows],
        "kind": [row[6] for row in rows],
        "tags": [row[7].split() for row in rows],
    }
    order = np.argsort([row[2] for row in rows], kind="stable")
    features = dataset.feature_maps["event_features"].transform_cells(cells)
    assert features[order].tobytes() == dataset.log.features.tobytes()


def test_missing_cells_and_far_numbers_are_named(load):
    fitted = load().feature_maps["item_features"]
    cells = cells_of_items([["b1", "1e30", "", "0 0"]])
    with pytest.raises(FarValue, match=r"price is 1e\+30, too far from all numbers"):
        fitted.transform_cells(cells)
    del cells["genres"]
    with pytest.raises(DataError, match="there are no cells of genres"):
        fitted.transform_cells(cells)


def test_a_far_number_is_told_as_it_was_given_and_warns_of_nothing(load):
    fitted = load().feature_maps["item_features"]
    cells = cells_of_items([["b1", "1e300", "", "0 0"]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FarValue, match=r"price is 1e\+300, too far from all numbers"):
            fitted.transform_cells(cells)


NAMED = FieldMap("year", "token", categories=np.array([0, 4, 5]), tokens=("[PAD]", "2015", "16.0"))


@pytest.mark.parametrize(
    ("cell", "id_", "written"),
    [
        ("2015", 4, "2015"),
        (2015, 4, "2015"),
        (2015.0, 4, "2015"),
        (np.float32(2015), 4, "2015"),
        (np.int64(2015), 4, "2015"),
        (16, 5, "16.0"),
        (16.0, 5, "16.0"),
        ("16", 5, "16.0"),
        ("2015.0", 4, "2015"),
        ("02015", 0, "02015"),
        ("2015.5", 0, "2015.5"),
        (17.0, 0, "17"),
        (2015.5, 0, 2015.5),
        (True, 0, True),
        (float("nan"), 0, None),
        (10**400, 0, str(10**400)),
    ],
)
def test_numbers_that_are_names_are_those_of_training(cell, id_, written):
    assert NAMED.read([cell]).tolist() == [id_]
    if written is not None:
        assert NAMED.written(cell) == written


def test_numbers_that_are_names_are_those_of_training_in_sequences():
    several = FieldMap("years", "token_seq", 2, categories=np.array([4, 5]), tokens=("1", "2.0"))
    assert several.read([[1.0, 2]]).tolist() == [[4, 5]]
    assert several.written([1.0, 2]) == ["1", "2.0"]


def test_both_spellings_in_training_stay_two_names():
    both = FieldMap("y", "token", categories=np.array([0, 1, 2]), tokens=("", "7", "7.0"))
    assert both.read([7, 7.0, "7", "7.0"]).tolist() == [1, 2, 1, 2]


# -- components of the training part ----------------------------------------------------------


def test_features_know_nothing_of_the_stream():
    import ast
    from pathlib import Path

    import recbole_imn.data as package

    folder = Path(package.__file__).parent
    for name in ("features", "feature_maps", "field_maps", "preparation", "components"):
        nodes = ast.walk(ast.parse((folder / f"{name}.py").read_text()))
        imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert "recbole_imn.data.dataset" not in imported

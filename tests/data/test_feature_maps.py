"""What is fitted for features: the matrices, plain values, and rows that come later."""

import logging

import numpy as np
import pytest
import torch

from recbole_imn.checkpoints import CheckpointError, load_checkpoint
from recbole_imn.checkpoints.loading import restore
from recbole_imn.checkpoints.mends import save_checkpoint
from recbole_imn.data.atomic import DataError
from recbole_imn.data.dataset import IMNNetDataset
from recbole_imn.data.feature_maps import FarValue, FeatureMap
from recbole_imn.model.settings import SettingsError
from tests.reliability.logs import RICH, rich_items, rich_rows, write_rich

KEYS = ("event_features", "inventory_features", "item_features")
BUCKETS = {
    "price": {"method": "LD"},
    "paid": {"method": "ED", "bucket": 4},
    "image": {"method": "ED", "bucket": 3},
}
NUMERICAL = ["price", "paid", "image"]
CASES = {
    "plain": {},
    "normalised": {"normalize_all": True},
    "pairs": {"numerical_features": NUMERICAL},
    "discretised": {"numerical_features": NUMERICAL, "discretization": BUCKETS},
    "reduced": {"reduced_features": {"image": 1}, "normalize_field": ["image"]},
}


class Watched(IMNNetDataset):
    """Keeps the table that features of events were made of."""

    def _event_features(self, log, key):
        self.table = log.copy()
        return super()._event_features(log, key)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def load(tmp_path, make_config):
    def run(rows=None, items=None, **options):
        write_rich(tmp_path, "rich", rows, items)
        options = {**RICH, "inventory_features": ["kind", "paid"], **options}
        dataset = Watched(make_config("IMNNet", dataset="rich", **options))
        dataset._change_feat_format()
        return dataset

    return run


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


def cells_of_items(items):
    brand, price, genres, image = zip(*items, strict=True)
    return {
        "brand": brand,
        "price": [float(cell) if cell else None for cell in price],
        "genres": [cell.split() for cell in genres],
        "image": [[float(number) for number in cell.split()] for cell in image],
    }


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


# -- components of the training part ----------------------------------------------------------


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


def test_features_know_nothing_of_the_stream():
    import ast
    from pathlib import Path

    import recbole_imn.data as package

    folder = Path(package.__file__).parent
    for name in ("features", "feature_maps", "field_maps", "preparation", "components"):
        nodes = ast.walk(ast.parse((folder / f"{name}.py").read_text()))
        imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert "recbole_imn.data.dataset" not in imported


# -- checkpoints ------------------------------------------------------------------------------


class StandIn(torch.nn.Module):
    """A model with the two lines that a model of the stream needs."""

    def __init__(self, dataset):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2))
        self.feature_maps = {key: m.to_values() for key, m in dataset.feature_maps.items()}
        self.other_parameter_name = ["feature_maps"]


def stand_in(dataset):
    from recbole.model.abstract_recommender import AbstractRecommender

    kind = type("StandIn", (StandIn, AbstractRecommender), {})
    return kind(dataset)


class Trainer:
    """As much of RecBole's trainer as saving needs."""

    def __init__(self, model, config, file):
        self.model, self.config, self.saved_model_file = model, config, file
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.cur_step, self.best_valid_score = 0, 0.0
        self.logger = logging.getLogger()


@pytest.fixture
def saved(load, tmp_path):
    def run(dataset):
        file = tmp_path / "model.pth"
        save_checkpoint(Trainer(stand_in(dataset), dataset.config, file), 0)
        return load_checkpoint(file), file

    return run


def test_a_checkpoint_carries_the_maps_as_plain_values(load, saved, case):
    dataset = load(**case)
    checkpoint, file = saved(dataset)
    model = stand_in(dataset)
    model.feature_maps = {key: FeatureMap.to_values(dataset.feature_maps[key]) for key in KEYS}
    restore(model, checkpoint, file)
    for key in KEYS:
        again = FeatureMap.from_values(model.feature_maps[key])
        assert again.to_values() == dataset.feature_maps[key].to_values()
    cells = cells_of_items([["b1", "20", "g1", "0.1 0.2"]])
    again = FeatureMap.from_values(checkpoint["other_parameter"]["feature_maps"]["item_features"])
    expected = dataset.feature_maps["item_features"].transform_cells(cells)
    assert again.transform_cells(cells).tobytes() == expected.tobytes()


def test_a_checkpoint_of_as_many_other_columns_is_refused(load, saved):
    checkpoint, file = saved(load())
    items = {
        item: [cells[0].replace("b2", "b7"), *cells[1:]] for item, cells in rich_items().items()
    }
    other = stand_in(load(items=items))
    with pytest.raises(CheckpointError, match=r"columns of item_features are others.*brand=b"):
        restore(other, checkpoint, file)


@pytest.mark.parametrize("maps", [None, 7, {"item_features": {}}, {}])
def test_a_checkpoint_with_other_things_for_maps_is_refused(load, saved, maps):
    dataset = load()
    checkpoint, file = saved(dataset)
    checkpoint["other_parameter"]["feature_maps"] = maps
    with pytest.raises(CheckpointError, match=r"no maps of features|columns of"):
        restore(stand_in(dataset), checkpoint, file)

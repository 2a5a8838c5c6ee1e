"""Maps of features in a checkpoint."""

import logging

import pytest
import torch

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.loading import restore
from recbole_imn.checkpoints.mends import save_checkpoint
from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.errors import CheckpointError
from tests.data.feature_maps.cells import KEYS, cells_of_items
from tests.reliability.logs import rich_items


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

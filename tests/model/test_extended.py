"""The mixture of IMNNetPlus against its definition."""

import numpy as np
import pytest
import torch

from recbole_imn.data.dataset import EVENT_INDEX
from recbole_imn.model.freshness import Freshness
from recbole_imn.model.mixture import mix, mixture_loss
from recbole_imn.stream import EventStream
from tests.conftest import PRICED
from tests.stream.naive import random_stream_columns

SWITCHES = [
    {},
    {"pointer": False},
    {"freshness": False},
    {"pointer_neighbours": 0},
    {"pointer": False, "freshness": False},
    {"n_active_negatives": 0},
    PRICED,
]


def test_weights_of_the_same_item_add_up():
    scores = torch.zeros(1, 5)
    items = torch.tensor([[2, 2, 4, 0]])
    weights = torch.tensor([[1.0, 2.0, 3.0, -torch.inf]])
    expected = torch.tensor([1.0, 1.0, 1 + np.e + np.e**2, 1.0, 1 + np.e**3]).log()
    torch.testing.assert_close(mix(scores, items, weights)[0], expected.float())


def test_the_loss_is_the_negative_log_probability():
    positive, negative = torch.tensor([0.5]), torch.tensor([[0.1, -torch.inf]])
    weights, hits = torch.tensor([[1.0, 2.0]]), torch.tensor([[True, False]])
    share = np.exp(0.5) + np.exp(1.0)
    expected = -np.log(share / (share + np.exp(0.1) + np.exp(2.0)))
    assert mixture_loss(positive, negative, weights, hits).item() == pytest.approx(expected)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("options", SWITCHES)
def test_the_loss_is_that_of_the_ranking_when_all_items_are_negatives(
    prepare, options, monkeypatch, exact
):
    _, dataset, (train, *_), model = prepare("IMNNetPlus", mse_weight=0.0, **options)
    stream, network = dataset.stream, model.network
    if not exact:
        # Each stratum of the catalogue is drawn as a whole.
        everything = torch.arange(1, stream.n_items)
        monkeypatch.setattr(torch, "randint", lambda *_: everything)
    object.__setattr__(network.settings, "n_negatives", stream.n_items - 1 if exact else 1)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    batch = next(iter(train))
    with torch.no_grad():
        loss = model.calculate_loss(batch) * model.rows_per_loss
    events = batch[EVENT_INDEX].numpy()
    rows = events[stream.history_length[events] > 0]
    segment = model.playback.segment(rows)
    places = rows - segment.start
    queries, weights = network.queries(segment.query_parts[:, places]), segment.weights[places]
    scores = segment.timeline.score_all(queries, rows, 7)
    scores = network.complete(scores, rows, weights)[:, 1:]
    right = scores[np.arange(len(rows)), stream.item[rows] - 1]
    torch.testing.assert_close(loss, (scores.logsumexp(dim=1) - right).sum(), rtol=1e-4, atol=0)


def test_features_of_items_reach_static_embeddings(prepare):
    _, _, _, model = prepare("IMNNetPlus")
    assert model.network.static_item.of_features is None
    from recbole_imn.model.layers import StaticTable

    features = torch.zeros(4, 2)
    features[1, 0] = 1
    table = StaticTable(4, 8, unit=True, features=features)
    ids = torch.tensor([[1, 2]])
    with torch.no_grad():
        table.of_features.weight.mul_(2)
        rows = table(ids)
        expected = table.table(ids) + features[ids] @ table.of_features.weight.t()
    assert rows.shape == (1, 2, 8)
    torch.testing.assert_close(rows, torch.nn.functional.normalize(expected, dim=-1))


def test_freshness_of_the_catalogue_is_that_of_single_items():
    rng = np.random.default_rng(0)
    columns = random_stream_columns(rng, 400, 9, 30)
    # From simultaneous events to years.
    columns["time"] = np.cumsum(rng.choice([0, 0.5, 1, 1, 50, 1e4, 1e7], 400))
    stream = EventStream.from_columns(**columns)
    freshness = Freshness(stream, 300)
    torch.nn.init.normal_(freshness.table)
    events = rng.permutation(400)[:150]
    scores = torch.zeros(150, stream.n_items)
    freshness.add_to(scores, events)
    for item in range(1, stream.n_items):
        expected = freshness.of_items(events, np.full(150, item))
        assert torch.equal(scores[:, item], expected)


def test_freshness_begins_with_what_training_events_tell():
    # Item 1 is touched every second, the other nine once at the start.
    item = np.array([*range(2, 11), *[1] * 991])
    stream = EventStream.from_columns(np.ones(1000, np.int64), item, np.arange(1000.0))
    freshness = Freshness(stream, 900)
    favourite, other = freshness.of_items(np.array([899, 899]), np.array([1, 5])).exp().tolist()
    assert favourite > 0.5
    assert other < 0.01

"""What users hold, and how items compete with it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from recbole_imn.log import EventLog
from recbole_imn.model.build import build_network
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources.pointer import GAIN, SPEED
from recbole_imn.model.terms.base import Rows
from recbole_imn.model.terms.holdings import LATEST, Holdings, groups, make_cells
from recbole_imn.model.window import RowColumns
from recbole_imn.past import Past
from recbole_imn.serving.opening import make_network, recbole_weights
from recbole_imn.session import Session
from tests.stream.naive import random_stream_columns

FIELDS = ["brand", "brand", "brand", "price", "image", "image"]

# Terms are beside the density ratio alone.
NAMES = {
    "embedding_size": 8,
    "search_ranking_weights": False,
    "ranking_mse_weight": 0.0,
    "ranking_nce_weight": 1.0,
}


def some_features(n_items=31, seed=0):
    rng = np.random.default_rng(seed)
    brand = np.eye(3)[rng.integers(0, 3, n_items)]
    features = np.concatenate([brand, rng.normal(size=(n_items, 3))], axis=1)
    return torch.from_numpy(features.astype(np.float32))


def make_holdings(features=None, n_training=300, **changed):
    columns = random_stream_columns(np.random.default_rng(1), 400, 3, 30)
    log = EventLog.from_columns(**{**columns, **changed})
    past = Past(log)
    past.move_to(400)
    features = some_features() if features is None else features
    making = Making(NetworkSettings(), past, n_training, features, item_fields=FIELDS)
    return Holdings(making), past, making


def test_cells_are_of_categories_and_numbers():
    features = some_features(200)
    columns = groups(FIELDS, features)
    assert columns == [[0, 1, 2], [3]]
    knots = torch.from_numpy(np.quantile(features.double().numpy(), np.linspace(0, 1, 5), axis=0))
    cells, owners = make_cells(features, knots, columns)
    assert owners.tolist() == [0] * 3 + [1] * 5 + [2] * 15
    assert (cells[0] == 0).all()
    assert torch.equal(cells[1:, :3], features[1:, :3])
    assert ((cells >= 0) & (cells <= 1)).all()
    torch.testing.assert_close(cells[1:, 3:8].sum(dim=1), torch.ones(199))
    pairs = cells[:, :3].unsqueeze(2) * cells[:, 3:8].unsqueeze(1)
    torch.testing.assert_close(cells[:, 8:], pairs.flatten(1))
    # Without names, each column is a field.
    assert groups(list("abcdef"), features) == [[0], [1], [2], [3], [4], [5]]
    # Beyond all that training knows, a number is in the last cell.
    features[1, 3] = 99.0
    assert make_cells(features, knots, columns)[0][1, 3:8].tolist() == [0, 0, 0, 0, 1]


def test_pairs_of_few_cells_come_first_and_not_more_than_fit(monkeypatch):
    names, features = list("abcd"), some_features(200)[:, 2:]
    columns = groups(names, features)
    knots = torch.from_numpy(np.quantile(features.double().numpy(), np.linspace(0, 1, 5), axis=0))
    sizes = [1, 5, 5, 5]

    def widths():
        _, owners = make_cells(features, knots, columns)
        return np.bincount(owners.numpy()).tolist()

    assert widths() == [*sizes, 5, 5, 5, 25, 25, 25]
    monkeypatch.setattr("recbole_imn.model.terms.holdings.PAIR_CELLS", 64)
    assert widths() == [*sizes, 5, 5, 5, 25]
    monkeypatch.setattr("recbole_imn.model.terms.holdings.PAIR_CELLS", 15)
    assert widths() == [*sizes, 5, 5, 5]
    monkeypatch.setattr("recbole_imn.model.terms.holdings.PAIR_CELLS", 4)
    assert widths() == sizes


def test_only_items_of_training_tell_the_cells():
    term, past, _ = make_holdings(n_training=12)
    trained = np.unique(past.log.item[:12]).astype(np.int64)
    others = np.setdiff1d(np.arange(1, 31), trained)
    changed = some_features()
    changed[others, 3] *= 5
    other, *_ = make_holdings(changed, 12)
    assert torch.equal(term.reference, other.reference)
    assert torch.equal(term.cells[trained], other.cells[trained])


def test_items_that_come_have_the_cells_of_those_that_were_there():
    features = some_features(36)
    term, past, _ = make_holdings(features[:31].clone())
    known = term.cells.clone()
    features[5, 3] += 1
    term.grow(past.log.n_users, 33, features[:33])
    term.grow(past.log.n_users, 36, features)
    assert torch.equal(term.cells, make_cells(features, term.reference, term.groups)[0])
    same = torch.arange(31) != 5
    assert torch.equal(term.cells[:31][same], known[same])


def test_cells_are_made_by_the_reference_that_was_loaded():
    term, *_ = make_holdings()
    features = some_features()
    features[:, 3] *= 2
    other, *_ = make_holdings(features)
    other.load_state_dict(term.state_dict())
    assert torch.equal(other.cells, make_cells(features, term.reference, term.groups)[0])


def test_scores_are_the_formula():
    term, past, _ = make_holdings()
    torch.nn.init.normal_(term.competition, std=0.05)
    torch.nn.init.constant_(term.rate, 0.1)
    events = np.array([0, 5, 150, 399])
    items = torch.arange(1, 31)
    with torch.no_grad():
        found = asked(term, past, events) @ term.items(items, torch.zeros(30, 1)).T
        for row, event in enumerate(events):
            expected = naive(term, past.log, int(event), float(term.pace))[1:]
            torch.testing.assert_close(found[row], expected.float(), rtol=1e-4, atol=1e-5)
    assert (found[0] == 0).all()
    assert (found[2:] != 0).any(dim=1).all()


def naive(term, log, event, pace):
    rate, cells = torch.exp(GAIN * term.rate.double()) / pace, term.cells.double()
    mine = [k for k in range(event) if log.user[k] == log.user[event] and log.purchase[k]]
    now = torch.zeros(cells.shape[1], dtype=torch.double)
    for k in mine[-LATEST:]:
        now += torch.exp(-rate * (log.time[event] - log.time[k])) * cells[log.item[k]]
    competition = SPEED * term.competition.double()[term.owners]
    return (competition * (1 - torch.exp(-now)) * cells).sum(dim=1)


@pytest.mark.parametrize("changed", [{"purchase": np.zeros(400, bool)}, {}])
def test_it_needs_purchases_and_features(changed):
    _, _, making = make_holdings(**changed)
    assert Holdings.applies(making) == (not changed)
    bare = Making(NetworkSettings(), making.past, 300)
    assert not Holdings.applies(bare)


def test_it_changes_no_other_first_weight_and_learns():
    states = []
    for terms in (["taste"], ["taste", "holdings"]):
        torch.manual_seed(3)
        _, _, making = make_holdings()
        making.settings = NetworkSettings(n_negatives=5, terms=terms, **NAMES)
        network = build_network(making)
        states.append({name: value.clone() for name, value in network.state_dict().items()})
    assert states[0].keys() < states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    past = making.past.beginning()
    Session(network, past, 300, 1).train(0, 300).backward()
    term = network.products["holdings"]
    assert (term.competition.grad != 0).all()
    # Nothing is wanted yet, so that it does not matter how fast it fades.
    assert term.rate.grad == 0


def test_a_checkpoint_has_the_same_term():
    _, past, making = make_holdings()
    names = {"terms": ["holdings"], **NAMES}
    making.settings = NetworkSettings(**names)
    network = build_network(making)
    term = network.products["holdings"]
    torch.nn.init.normal_(term.competition)
    snapshot = SimpleNamespace(
        n_training=300,
        features_as_fitted=lambda: making.item_features,
        fitted_features=None,
        fitted=300,
        feature_maps={"item_features": SimpleNamespace(owners=FIELDS)},
    )
    checkpoint = {"config": {"final": names}, "state_dict": recbole_weights(network)}
    opened = make_network(checkpoint, snapshot, past).products["holdings"]
    for name in ("cells", "owners", "competition", "pace"):
        assert torch.equal(getattr(opened, name), getattr(term, name))


def test_rows_are_alone_and_nothing_later_is_known():
    term, past, _ = make_holdings()
    torch.nn.init.normal_(term.competition)
    events = np.arange(100, 200)
    whole = asked(term, past, events)
    assert torch.equal(asked(term, past, events[17:18]), whole[17:18])
    columns = random_stream_columns(np.random.default_rng(1), 400, 3, 30)
    changes = {}
    for name in ("item", "purchase"):
        # Also the rows' own events are not known to them.
        changes[name] = np.where(np.arange(400) < 150, columns[name], columns[name][::-1])
    other, changed, _ = make_holdings(n_training=100, **changes)
    same, known, _ = make_holdings(n_training=100)
    for one in (other, same):
        torch.nn.init.constant_(one.competition, 0.3)
    before = asked(same, known, events[:51])
    assert torch.equal(asked(other, changed, events[:51]), before)


def asked(term, past, events):
    facts, none = past.look_at_events(events), torch.zeros(len(events), 2)
    users, items = torch.from_numpy(facts.user), torch.from_numpy(facts.item)
    rows = Rows(RowColumns(users, items, none, none, {}), none, none)
    with torch.no_grad():
        return term.queries(rows, term.look(past, facts))

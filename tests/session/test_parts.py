"""Parts add up to the scores that the session gives, for every kind of network."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.errors import LogError
from recbole_imn.model.explaining import TASTE_ORIGINS
from recbole_imn.session.parts import score_parts
from tests.session.streams import SETTINGS, columns, learn, log_until, session_on


@pytest.fixture(params=SETTINGS, ids=lambda case: "-".join([case[0], *map(str, case[1])]))
def session(request, prepare):
    """A trained model of each kind, at the end of its log."""
    name, options = request.param
    model = prepare(name, **options)[-1]
    learn(model.session)
    if not model.session.network.settings.searches_ranking:
        return model.session
    model.session.network.set_ranking((0.7, 0.3), (2.0, 0.5))
    return model.session


def question(log, n=9):
    rng = np.random.default_rng(2)
    return rng.integers(0, log.n_users, n), log.time[-1] + rng.integers(-10, 5000, n)


def everything(session, n):
    return np.tile(np.arange(session.past.log.n_items), (n, 1))


def magnitude(parts):
    """The sum of the sizes of all that is added up: rounding is relative to it."""
    papers = np.abs(parts.prediction).sum(axis=(2, 3)) + np.abs(parts.density).sum(axis=(2, 3))
    return papers + sum(np.abs(term) for term in parts.terms.values())


def test_parts_add_up_to_the_scores(session):
    query = session.query(*question(session.past.log))
    scores = session.scores(query).double().numpy()
    parts = score_parts(session, query, everything(session, len(scores)))
    assert np.isfinite(parts.score[:, 1:]).all()
    difference = np.abs(parts.score - scores)[:, 1:]
    assert (difference <= 1e-5 * np.maximum(np.abs(scores), magnitude(parts))[:, 1:]).all()
    assert parts.prediction.shape == (*scores.shape, len(parts.origins), 2)
    total = parts.density_share.copy()
    np.add.at(total, (parts.candidates.row, parts.candidates.column), parts.candidates.share)
    np.testing.assert_allclose(total, 1)


def test_parts_that_a_network_does_not_have_are_nothing(session):
    settings, query = session.network.settings, session.query([1, 2], [1e9, 1e9])
    parts = score_parts(session, query, everything(session, 2))
    has_pointer = session.network.pointer is not None
    assert bool(parts.sources) == has_pointer == bool(len(parts.candidates))
    assert (np.abs(parts.density).max() > 0) == (settings.ranking_nce_weight > 0)
    assert (np.abs(parts.prediction).max() > 0) == (settings.ranking_mse_weight > 0)
    together = "general and limited state" in parts.origins
    assert together == (settings.resource_branch != "none" and settings.fusion == "product")
    has_limited = "limited state" in parts.origins
    assert has_limited == (settings.resource_branch != "none" and not together)


def test_a_row_has_the_same_bits_with_others_and_alone(plus):
    users, at = question(plus.past.log)
    items = np.random.default_rng(1).integers(1, plus.past.log.n_items, (len(users), 5))
    together = score_parts(plus, plus.query(users, at), items)
    for row in range(len(users)):
        alone = score_parts(plus, plus.query(users[[row]], at[[row]]), items[[row]])
        for name in ("prediction", "density", "taste", "density_share", "score"):
            assert np.array_equal(getattr(alone, name)[0], getattr(together, name)[row]), name
        for name, term in alone.terms.items():
            assert np.array_equal(term[0], together.terms[name][row]), name
        few = score_parts(plus, plus.query(users[[row]], at[[row]]), items[[row], 2:3])
        assert np.array_equal(few.score[0], together.score[row, 2:3])


def test_tastes_are_those_of_features_and_of_their_owners(plus):
    query = plus.query(*question(plus.past.log))
    parts = score_parts(plus, query, everything(plus, 9))
    n_features = plus.network.states.item_features.shape[1]
    assert parts.taste.shape == (*parts.item.shape, n_features, len(TASTE_ORIGINS))
    np.testing.assert_allclose(parts.taste.sum(axis=(2, 3)), parts.terms["taste"])
    term = plus.network.products["taste"]
    with torch.no_grad():
        term.users.weight.zero_()
        term.likeness.zero_()
    plus.weights_changed()
    parts = score_parts(plus, query, everything(plus, 9))
    assert (parts.taste[..., 1:] == 0).all()
    assert np.array_equal(parts.taste[0], parts.taste[-1])


def candidates_of(session):
    """Parts of some rows, checked as any source's candidates are; users, and items found."""
    log = session.past.log
    users, at = question(log)
    query = session.query(users, at)
    parts = score_parts(session, query, everything(session, len(users)))
    found = parts.candidates
    assert parts.sources == session.network.pointer.names
    assert (found.event >= 0).all()
    assert (found.event < len(log)).all()
    assert np.array_equal(log.user[found.anchor], users[found.row])
    asked = query.ranked.asked
    assert np.isfinite(asked.weights.numpy()).sum() == len(found)
    most = found.log_weight.max()
    assert np.isclose(most, asked.weights.max().item())
    return parts, users, parts.item[found.row, found.column]


def test_candidates_point_to_events_that_have_happened(plus):
    log = plus.past.log
    parts, users, items = candidates_of(plus)
    found = parts.candidates
    own = found.source == parts.sources.index("own_items")
    assert np.array_equal(log.item[found.event[own]], items[own])
    # What is beside the user's own item is another one, which he has not had lately.
    beside = found.source == parts.sources.index("co_visited")
    assert beside.any()
    assert (log.item[found.event[beside]] != items[beside]).all()
    # Both are led to by the user's own event: his latest one with its item.
    assert np.array_equal(found.anchor, found.event)
    for event, row in zip(found.event, found.row, strict=True):
        later = np.flatnonzero((log.user == users[row]) & (log.item == log.item[event]))
        assert event == later[-1]


def test_neighbours_point_to_events_of_anybody(prepare):
    sources = ["own_items", "successors", "predecessors"]
    session = prepare("IMNNetPlus", sources=sources)[-1].session
    log, chain = session.past.log, session.past.chains.user
    learn(session)
    parts, _, items = candidates_of(session)
    found = parts.candidates
    onward, back = (found.source == parts.sources.index(name) for name in sources[1:])
    assert onward.any()
    assert back.any()
    # An anchor is of the item that was left for this one, or that was come to from it.
    assert np.array_equal(log.item[found.event[onward]], items[onward])
    assert np.array_equal(log.item[chain[found.event[onward]]], log.item[found.anchor[onward]])
    assert np.array_equal(log.item[chain[found.event[back]]], items[back])
    assert np.array_equal(log.item[found.event[back]], log.item[found.anchor[back]])


def test_the_candidates_of_an_item_come_by_their_shares(plus):
    parts = score_parts(plus, plus.query([1], [1e9]), everything(plus, 1))
    rows = 0
    for column in range(parts.item.shape[1]):
        here = parts.candidates.of(0, column)
        assert (np.diff(here.share) <= 0).all()
        assert np.isclose(here.share.sum() + parts.density_share[0, column], 1)
        rows += len(here)
    assert rows == len(parts.candidates)


def test_parts_are_of_the_log_as_it_is_now(plus):
    log = plus.past.log
    online = session_on(log_until(log, 250), plus)
    query = online.query([3, 1], [1e9, 2e9])
    online.observe(columns(log, 250, 300))
    parts = score_parts(online, query, everything(online, 2))
    expected = score_parts(plus, plus.query([3, 1], [1e9, 2e9]), everything(plus, 2))
    assert np.array_equal(parts.score, expected.score)
    for name, values in vars(parts.candidates).items():
        assert np.array_equal(values, getattr(expected.candidates, name)), name


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 999))
def test_any_items_in_any_order_have_their_own_parts(plus, seed):
    rng = np.random.default_rng(seed)
    users, at = question(plus.past.log, int(rng.integers(1, 6)))
    query = plus.query(users, at)
    scores = plus.scores(query).double().numpy()
    items = rng.integers(1, scores.shape[1], (len(users), int(rng.integers(0, 5))))
    parts = score_parts(plus, query, items)
    expected = np.take_along_axis(scores, items, axis=1)
    np.testing.assert_allclose(parts.score, expected, rtol=1e-4, atol=1e-4)


def test_what_does_not_fit_is_refused(plus):
    query = plus.query([1, 2], [1e9, 1e9])
    with pytest.raises(ValueError, match=r"items have shape \[1, 1\], not one row for each of the"):
        score_parts(plus, query, [[1]])
    with pytest.raises(LogError, match=r"item 99 is asked for, outside 0\.\.20"):
        score_parts(plus, query, [[1], [99]])

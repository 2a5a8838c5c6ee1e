"""The best of a catalogue are found without scoring all of it to the last bit."""

import numpy as np
import pytest
import torch

from tests.session.streams import SETTINGS, learn


@pytest.fixture(params=SETTINGS, ids=lambda case: "-".join([case[0], *map(str, case[1])]))
def session(request, prepare):
    """A trained session of each kind, at the end of its log."""
    name, options = request.param
    model = prepare(name, **options)[3]
    learn(model.session)
    return model.session


@pytest.mark.parametrize("some", [False, True])
@pytest.mark.parametrize("k", [1, 3, 100])
def test_the_best_are_among_them_and_scores_are_those_of_all(session, k, some):
    log = session.past.log
    rng = np.random.default_rng(k)
    users = rng.integers(1, log.n_users, 8)
    query = session.query(users, log.time[-1] + rng.integers(0, 5000, 8))
    wanted = np.arange(1, log.n_items)
    if some:
        wanted = np.sort(rng.choice(wanted, 9, replace=False))
    left_out = [rng.choice(len(wanted), 4, replace=False) for _ in users]
    scores = session.scores(query)
    found = session.contenders(query, k, wanted, left_out)
    for row, out, (items, exact) in zip(scores, left_out, found, strict=True):
        assert torch.equal(row[torch.from_numpy(items)], exact)
        allowed = np.delete(wanted, out)
        assert np.isin(items, allowed).all()
        order = allowed[np.argsort(-row[allowed].numpy(), kind="stable")]
        worst = row[int(order[min(k, len(order)) - 1])]
        assert np.isin(allowed[(row[allowed] >= worst).numpy()], items).all()


def test_some_items_are_scored_as_all_are(session):
    log = session.past.log
    query = session.query([1, 2, 3], np.full(3, log.time[-1] + 60.0))
    scores = session.scores(query)
    for items in (np.array([3]), np.array([7, 2, 5]), np.arange(1, log.n_items)):
        assert torch.equal(session.scores_of(query, items), scores[:, torch.from_numpy(items)])
    nothing = np.empty(0, np.int64)
    assert session.scores_of(query, nothing).shape == (3, 0)
    assert all(len(items) == 0 for items, _ in session.contenders(query, 2, nothing, [nothing] * 3))

"""What comes later moves no score, and no fact that training sees, by one bit."""

import numpy as np
import pytest
import torch

from recbole_imn.past import Past
from recbole_imn.session import Session
from tests.past.logs import look_at_log
from tests.session.streams import SETTINGS, learn, session_on, with_other_future


@pytest.fixture(params=SETTINGS, ids=lambda case: "-".join([case[0], *map(str, case[1])]))
def trained(request, prepare):
    name, options = request.param
    _, dataset, _, model = prepare(name, **options)
    return model.session, dataset.event_bounds


def test_scores_do_not_know_the_future(trained):
    session, bounds = trained
    learn(session)
    for k in (bounds[2] + 3, bounds[3] - 5):
        twin = session_on(with_other_future(session.past.log, k), session)
        events = np.arange(bounds[2], k + 1)
        for chunk in (256, 7):
            expected = session.scores_before(events, chunk)
            assert torch.equal(twin.scores_before(events, chunk), expected)
        assert not torch.equal(
            twin.scores_before(np.array([bounds[3] - 1])),
            session.scores_before(np.array([bounds[3] - 1])),
        )


def test_training_does_not_know_the_future(trained):
    session, bounds = trained
    twin = session_on(with_other_future(session.past.log, bounds[1]), session)
    assert learn(twin) == learn(session)
    k = 32 * 4
    earlier = session_on(with_other_future(session.past.log, k), session)
    other = session_on(session.past.log, session)
    with torch.no_grad():
        for start in range(0, k, 32):
            assert torch.equal(earlier.train(start, start + 32), other.train(start, start + 32))


def test_facts_of_training_do_not_know_the_future(trained):
    log, k = trained[0].past.log, 150
    pasts = [Past(log), Past(with_other_future(log, k))]
    pasts[1].move_to(k + 1)
    for one, other in zip(*(look_at_log(past, k) for past in pasts), strict=True):
        for name, values in vars(one).items():
            np.testing.assert_array_equal(values, getattr(other, name))
    assert isinstance(trained[0], Session)

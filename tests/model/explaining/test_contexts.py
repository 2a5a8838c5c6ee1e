"""What is said to come from somewhere changes with it, and nothing else does."""

import numpy as np
import pytest
import torch

from recbole_imn.model.explaining import EVERYBODY
from recbole_imn.model.explaining.contexts import (
    GENERAL,
    LIMITED,
    PREVIOUS,
    STATIC_USER,
    contexts_apart,
)
from recbole_imn.session.parts import score_parts
from tests.session.streams import learn

FUSIONS = ["sum", "concat", "gate"]
USERS, LATER = np.array([1, 2, 3, 4, 5]), np.full(5, 1e6)


def trained(prepare, **options):
    session = prepare("IMNNet", **options)[-1].session
    learn(session)
    session.query(USERS, LATER)
    return session


def parts_of(session):
    items = np.tile(np.arange(1, session.past.log.n_items), (len(USERS), 1))
    parts = score_parts(session, session.query(USERS, LATER), items)
    sums = parts.prediction + parts.density
    return {name: sums[:, :, place] for place, name in enumerate(parts.origins)}


def changed(session, buffer, users):
    """The parts after a table has been overwritten for some users, as states have it."""
    with torch.no_grad():
        buffer[users] = torch.rand(len(users), buffer.shape[1])
    session.same_weights()
    return parts_of(session)


@pytest.mark.parametrize("fusion", [*FUSIONS, "product"])
@pytest.mark.parametrize("conditioning", ["unit", "none"])
def test_summands_add_up_to_the_contexts(prepare, fusion, conditioning):
    session = trained(prepare, fusion=fusion, conditioning=conditioning)
    facts = session.past.look(USERS, LATER)
    window = session.look(session.position, session.position, facts)
    with torch.no_grad():
        unrolled = session.network.unroll(window)
        rows = session.network.contexts(unrolled)
        apart = contexts_apart(session.network, unrolled, rows)
    torch.testing.assert_close(sum(apart.values()), rows.contexts, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_static_user_changes_his_own_part_alone(prepare, fusion):
    session = trained(prepare, fusion=fusion)
    before = parts_of(session)
    after = changed(session, session.network.statics.user.table.weight, [2])
    for name, values in before.items():
        rows = (values != after[name]).any(axis=(1, 2))
        assert rows.tolist() == [False, name == STATIC_USER, False, False, False], name


def test_with_states_side_by_side_each_changes_its_own_part_alone(prepare):
    session = trained(prepare, fusion="concat")
    for buffer, own in (
        (session.network.states.users.states, GENERAL),
        (session.network.branch.memory.states, LIMITED),
    ):
        before, after = parts_of(session), changed(session, buffer, [2, 3])
        for name, values in before.items():
            rows = (values != after[name]).any(axis=(1, 2))
            assert rows.tolist() == [False, name == own, name == own, False, False], name


def test_summed_states_share_their_length_and_nothing_else(prepare):
    session = trained(prepare, fusion="sum")
    before = parts_of(session)
    after = changed(session, session.network.branch.memory.states, [2])
    for name in (STATIC_USER, PREVIOUS, EVERYBODY):
        assert np.array_equal(before[name], after[name]), name
    # The general state's part is scaled by one number for all items of the user.
    ratio = (after[GENERAL] / before[GENERAL])[1]
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-4)
    assert not np.allclose(ratio[0, 0], 1)
    assert not np.allclose(before[LIMITED][1], after[LIMITED][1])
    assert np.array_equal(before[GENERAL][[0, 2, 3, 4]], after[GENERAL][[0, 2, 3, 4]])


def test_without_a_branch_there_is_no_limited_part(prepare):
    parts = parts_of(trained(prepare, resource_branch="none"))
    assert list(parts) == [GENERAL, STATIC_USER, PREVIOUS, EVERYBODY]

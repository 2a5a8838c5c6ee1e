"""Pieces of users' events, as a transformer is trained on them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.baselines.sequences import SequenceDataLoader, pieces_of
from recbole_imn.errors import SettingsError


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 4), max_size=60), st.integers(1, 7))
def test_each_event_but_a_users_first_is_a_target_once(users, longest):
    users = np.array(users, np.int64)
    order, bounds = pieces_of(users, longest)
    targets = []
    for start, stop in bounds.tolist():
        piece = order[start:stop]
        assert 2 <= len(piece) <= longest + 1
        assert len(set(users[piece].tolist())) == 1
        assert all(a < b and not (users[a + 1 : b] == users[a]).any() for a, b in pairwise(piece))
        targets += piece[1:].tolist()
    firsts = {users.tolist().index(user) for user in users.tolist()}
    assert sorted(targets) == sorted(set(range(len(users))) - firsts)


def test_a_users_latest_piece_is_the_longest_one():
    order, bounds = pieces_of(np.array([1, 1, 2, 1, 1, 1]), 3)
    assert order.tolist() == [0, 1, 3, 4, 5, 2]
    assert bounds.tolist() == [[1, 5], [0, 2]]


def test_batches_hold_the_training_part_and_nothing_else(prepare):
    _, dataset, (train, *_), _ = prepare("ESASRec", MAX_ITEM_LIST_LENGTH=4, train_batch_size=7)
    assert isinstance(train, SequenceDataLoader)
    n, found = dataset.event_bounds[1], []
    for batch in train:
        items, lengths = batch["item_id_list"], batch["item_length"]
        assert items.shape[1] == lengths.max() <= 5
        found += [row[:length].tolist() for row, length in zip(items, lengths, strict=True)]
        assert all((row[length:] == 0).all() for row, length in zip(items, lengths, strict=True))
    order, bounds = pieces_of(dataset.log.user[:n], 4)
    expected = [dataset.log.item[:n][order[start:stop]].tolist() for start, stop in bounds]
    assert found != expected
    assert sorted(found) == sorted(expected)


def test_several_processes_are_refused(prepare):
    config, dataset, _, _ = prepare("ESASRec")
    config["single_spec"] = False
    with pytest.raises(SettingsError, match="one process"):
        SequenceDataLoader(config, dataset, None)

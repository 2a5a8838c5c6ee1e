"""The excerpt of a log that models are tuned on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.data.excerpt import Excerpt, evenly
from recbole_imn.errors import SettingsError
from recbole_imn.model.rows import EVENT_INDEX
from tests.conftest import random_rows, write_log


@given(st.integers(0, 500), st.integers(1, 600))
def test_rows_lie_evenly(n_rows, at_most):
    rows = evenly(n_rows, at_most)
    assert len(rows) == min(n_rows, at_most)
    assert (np.diff(rows) >= 1).all()
    if n_rows:
        assert rows[-1] == n_rows - 1
        gaps = np.diff(np.concatenate([[-1], rows]))
        assert gaps.max() - gaps.min() <= 1


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 100))
def test_bounds_are_those_of_what_is_kept(n_kept, validation, n_rows):
    excerpt = Excerpt.latest(n_kept, validation, validation + n_rows)
    assert excerpt.bounds == (0, min(n_kept, validation), *[min(n_kept, validation) + n_rows] * 2)
    assert excerpt.start == validation - min(n_kept, validation)


def tokens(dataset):
    """Users and items of the log as they were in the file."""
    names = dataset.field2id_token
    users, items = names["user_id"], names["item_id"]
    return [(users[u], items[i]) for u, i in zip(dataset.log.user, dataset.log.item, strict=True)]


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_an_excerpt_ends_before_the_test_part(prepare, model):
    _, whole, _, _ = prepare(model)
    _, validation, test, _ = whole.event_bounds
    _, dataset, (train, valid, tested), _ = prepare(model, tuning_events=100)
    assert tokens(dataset) == tokens(whole)[validation - 100 : test]
    assert dataset.event_bounds == (0, 100, 100 + test - validation, 100 + test - validation)
    assert dataset.in_training.sum() == 100
    assert train._dataset.event_stop == 100
    events = valid._dataset.inter_feat[EVENT_INDEX]
    assert events.min() >= 100
    # There is nothing else that could be tested.
    assert tested._dataset is valid._dataset


def test_rows_of_validation_are_those_of_the_whole_log_with_a_history(prepare):
    _, whole, (_, valid, _), _ = prepare("SASRec")
    start = whole.event_bounds[1] - 100
    _, part, (_, kept, _), _ = prepare("SASRec", tuning_events=100)
    rows = valid._dataset.inter_feat[EVENT_INDEX].numpy() - start
    kept_rows = kept._dataset.inter_feat[EVENT_INDEX].numpy()
    assert set(kept_rows) == {row for row in rows if part.history_length[row] > 0}
    _, _, (_, some, _), _ = prepare("SASRec", tuning_events=100, tuning_rows=7)
    assert (
        some._dataset.inter_feat[EVENT_INDEX].tolist() == kept_rows[evenly(len(rows), 7)].tolist()
    )


@pytest.mark.parametrize("model", ["IMNNet", "SASRec", "Popularity"])
def test_test_events_do_not_matter(prepare, toy, model):
    """Scores of an excerpt are the same whatever the test part holds."""
    found = []
    for seed in (0, 5):
        rows = random_rows()
        rows[270:] = [
            (f"other{seed}", f"new{n}", row[2], *row[3:]) for n, row in enumerate(rows[270:])
        ]
        write_log(toy, "toy", rows)
        _, dataset, (_, valid, _), network = prepare(model, tuning_events=150)
        batch = valid._dataset[0:20]
        found.append((dataset.item_num, network.eval().full_sort_predict(batch).tolist()))
    assert found[0] == found[1]


def test_an_excerpt_needs_one_cut_in_time(prepare):
    args = {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"}
    with pytest.raises(SettingsError, match="tuning_events is 50, but the latest training events"):
        prepare("SASRec", tuning_events=50, eval_args=args)

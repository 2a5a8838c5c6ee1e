"""Trivial baselines against a plain loop."""

import numpy as np
import pytest

from recbole_imn.data.dataset import EVENT_INDEX


def plain_ranking(log, event, n_training, recent):
    """Own items newest first, then popular ones; ids break ties."""
    own = [k for k in range(event) if log.user[k] == log.user[event]]
    own = own[max(0, len(own) - recent) :]
    newest_first = list(dict.fromkeys(log.item[own[::-1]].tolist()))
    counts = np.bincount(log.item[:n_training], minlength=log.n_items)
    popular = sorted(range(1, log.n_items), key=lambda item: (-counts[item], item))
    return newest_first + [item for item in popular if item not in newest_first]


@pytest.mark.parametrize(
    ("model", "recent"), [("LastItem", 1), ("RecentHistory", 1000), ("Popularity", 0)]
)
def test_rankings_equal_a_plain_loop(prepare, model, recent):
    _, dataset, (_, _, test), network = prepare(model)
    rows = test._dataset[np.arange(len(test._dataset))]
    scores = network.full_sort_predict(rows)
    for row, event in enumerate(rows[EVENT_INDEX].tolist()):
        ranking = (-scores[row, 1:]).argsort(stable=True) + 1
        expected = plain_ranking(dataset.log, event, dataset.event_bounds[1], recent)
        assert ranking.tolist() == expected
    single = network.predict(rows)
    assert (single == scores.gather(1, rows["item_id"][:, None])[:, 0]).all()


def test_a_window_of_recent_events_is_respected(prepare):
    _, dataset, (_, _, test), network = prepare("RecentHistory", recent_events=3)
    row = test._dataset[[5]]
    ranking = (-network.full_sort_predict(row)[0, 1:]).argsort(stable=True) + 1
    event = int(row[EVENT_INDEX][0])
    expected = plain_ranking(dataset.log, event, dataset.event_bounds[1], 3)
    assert ranking.tolist() == expected

"""Small random problems, and what must hold of any answer."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st


@st.composite
def tables(draw, most_users=4, most_items=5, most_slots=3):
    """Candidates, scores (many of them equal), capacity by item id and list lengths."""
    n_users, n_items = draw(st.integers(1, most_users)), draw(st.integers(1, most_items))
    width = draw(st.integers(0, n_items))
    ids = st.permutations(range(1, n_items + 1))
    items = np.array([draw(ids)[:width] for _ in range(n_users)], np.int64)
    cell = st.sampled_from([-np.inf, 0.0, 0.1, 0.25, 0.25, 0.5, 0.75, 1.0])
    scores = np.array([[draw(cell) for _ in range(width)] for _ in range(n_users)])
    capacity = np.array([draw(st.integers(0, n_users)) for _ in range(n_items + 1)])
    slots = np.array([draw(st.integers(0, most_slots)) for _ in range(n_users)])
    padding = np.array([[draw(st.booleans()) and draw(st.booleans()) for _ in range(width)]
                        for _ in range(n_users)], bool).reshape(n_users, width)  # fmt: skip
    items = np.where(padding, 0, items.reshape(n_users, width))
    return items, scores.reshape(n_users, width), capacity, slots


def best_sum(items, scores, capacity, slots):
    """The largest sum of scores, by trying all lists of one user after the other."""

    def beyond(user, stock):
        if user == len(items):
            return 0.0
        found = 0.0
        places = [p for p in range(items.shape[1]) if items[user, p] and scores[user, p] > -np.inf]
        for subset in range(2 ** len(places)):
            chosen = [place for bit, place in enumerate(places) if subset >> bit & 1]
            left = stock.copy()
            left[items[user, chosen]] -= 1
            if len(chosen) <= slots[user] and (left >= 0).all():
                found = max(found, scores[user, chosen].sum() + beyond(user + 1, left))
        return found

    return beyond(0, capacity.astype(np.int64))


def check_lists(found, items, scores, capacity, slots):
    """Lists are of candidates, none twice, within length and stock, and in order."""
    frame = found.to_frame()
    for item, count in frame.groupby("item").size().items():
        assert count <= capacity[item]
    assert not frame.duplicated(["user", "item"]).any()
    for user, rows in frame.groupby("user"):
        assert len(rows) <= slots[user]
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert sorted(zip(-rows["score"], rows["item"], strict=True)) == list(
            zip(-rows["score"], rows["item"], strict=True)
        )
        for item, score in zip(rows["item"], rows["score"], strict=True):
            assert scores[user][items[user] == item].tolist() == [score]
    np.testing.assert_allclose(found.hits, frame["score"].sum())


def no_list_can_grow(found, items, scores, capacity, slots):
    """Say whether every candidate that is on no list is barred by a full list or no stock."""
    frame = found.to_frame()
    used = frame.groupby("item").size().to_dict()
    lengths = frame.groupby("user").size().to_dict()
    held = set(zip(frame["user"], frame["item"], strict=True))
    return all(
        (user, item) in held
        or lengths.get(user, 0) == slots[user]
        or used.get(item, 0) == capacity[item]
        for user, row in enumerate(items)
        for place, item in enumerate(row)
        if item and scores[user, place] > -np.inf
    )

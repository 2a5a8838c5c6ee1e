"""What is no problem to be solved is refused in one line."""

import numpy as np
import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving.allocation import allocate

GIVEN = {"items": [[1, 2]], "scores": [[0.5, 0.25]]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"items": [1, 2]}, r"items have shape \(2,\) and scores \(1, 2\)"),
        ({"items": [[1.0, 2.0]]}, "items are float64"),
        ({"items": [[1, -2]]}, "an item is -2"),
        ({"items": [[1, 1]]}, "row 0 has item 1 twice"),
        ({"scores": [[0.5, -0.25]]}, "score of item 2 in row 0 is -0.25; .* calibrate"),
        ({"scores": [[0.5, np.nan]]}, "score of item 2 in row 0 is nan"),
        ({"scores": [[0.5, np.inf]]}, "score of item 2 in row 0 is inf"),
        ({"capacity": -1}, "capacity is -1.0"),
        ({"capacity": 0.5}, "capacity is 0.5; it is a whole number"),
        ({"capacity": np.inf}, "capacity is inf"),
        ({"capacity": {1: 3}}, "capacity has nothing for item 2"),
        ({"capacity": [0, 3]}, "capacity ends at item 1, and item 2 is a candidate"),
        ({"capacity": [[3]]}, r"capacity has shape \(1, 1\)"),
        ({"k": [1, 2]}, r"k has shape \(2,\) for 1 users"),
        ({"k": -1}, "k is -1.0"),
        ({"budget": 3.0}, "a budget but no price"),
        ({"budget": np.nan, "price": 1}, "budget is nan"),
        ({"budget": 3.0, "price": {1: 2}}, "price has nothing for item 2"),
        ({"method": "best"}, "method is 'best'; choose one of auto, exact, auction, greedy"),
        ({"tolerance": 0}, "tolerance is 0"),
        ({"users": ["ann", "bob"]}, "2 users for 1 rows"),
        ({"scores": [["good", "bad"]]}, r"scores is \[\['good', 'bad'\]\]; give numbers"),
        ({"items": [[1, 2], [1]]}, "items have rows of different lengths"),
        ({"capacity": "a"}, "capacity is 'a'; give numbers"),
        ({"capacity": {1: "a", 2: 1}}, "capacity of item 1 is 'a'; give a number"),
        ({"k": "a"}, "k is 'a'; give numbers"),
        ({"budget": "cheap", "price": 1}, "budget is 'cheap'; give numbers"),
        ({"budget": [None], "price": 1}, r"budget is \[None\]; give numbers"),
        ({"budget": {}, "price": 1}, "budget has nothing for user 0; add it"),
        ({"method": ["exact"]}, r"method is \['exact'\]; choose one"),
        ({"tolerance": "a"}, "tolerance is 'a'"),
        ({"users": 5}, "users are 5; give a list"),
        ({"n_items": "a"}, "n_items is 'a'; it must be a whole number"),
        ({"n_items": 1}, "n_items is 1, and 2 items are candidates"),
    ],
)
def test_messages(wrong, message):
    with pytest.raises(ServingError, match=message) as error:
        allocate(**GIVEN | wrong)
    assert "\n" not in str(error.value)


def test_capacity_by_item_in_each_form():
    for capacity in ({1: 0, 2: 1}, [9, 0, 1], np.array([9, 0, 1])):
        assert allocate(**GIVEN, capacity=capacity).to_frame()["item"].tolist() == [2]


def test_a_budget_by_user():
    prices = {"budget": {"ann": 1, "bob": 3}, "price": {1: 1, 2: 3}}
    table = {name: rows * 2 for name, rows in GIVEN.items()}
    found = allocate(**table, users=["ann", "bob"], capacity=9, k={"ann": 2, "bob": 1}, **prices)
    assert found.to_frame()[["user", "item"]].to_numpy().tolist() == [["ann", 1], ["bob", 1]]

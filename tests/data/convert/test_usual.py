"""Columns that are found by their usual names."""

import pytest

from recbole_imn.data.convert.mapping import make_mapping
from recbole_imn.data.convert.usual import usual_columns, usual_item

NAMES = ["user_id", "item", "time", "behavior", "purchase"]


def test_every_role_is_found_that_nobody_has_named():
    found = usual_columns({"columns": {"timestamp": "when"}}, ["when", *NAMES])
    assert found == {
        "user_id": "user_id",
        "item_id": "item",
        "behavior": "behavior",
        "purchase": "purchase",
    }


@pytest.mark.parametrize("place", [3, [3, 4]])
def test_nothing_is_found_beside_columns_named_by_position(place):
    assert usual_columns({"columns": {"timestamp": place}}, NAMES) == {}


def test_a_role_that_nothing_has_is_not_looked_for():
    assert "behavior" not in usual_columns({"columns": {"behavior": None}}, NAMES)


@pytest.mark.parametrize(
    "settings",
    [
        {"columns": {"purchase": "behavior"}},
        {"event_columns": {"action": "behavior"}},
        {"item_columns": {"action": {"column": "behavior"}}},
    ],
)
def test_a_column_named_for_something_else_is_taken(settings):
    assert "behavior" not in usual_columns(settings, NAMES)


def test_where_actions_are_purchases_no_column_of_them_is_looked_for():
    found = usual_columns({"purchases": ["trade"]}, NAMES)
    assert "behavior" in found
    assert "purchase" not in found


def test_the_item_has_its_name_in_the_log_or_a_usual_one():
    mapping = make_mapping({"columns": {"item_id": "car"}})
    assert usual_item(mapping, ["item", "car"]) == "car"
    assert usual_item(mapping, ["colour", "item_id"]) == "item_id"
    assert usual_item(mapping, ["colour"]) is None

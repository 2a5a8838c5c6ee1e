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


VIEWS = "user,item,time\na,x,1700000000\n"
ORDERS = "user,item,time,purchase\na,x,1700000100,1\n"


@pytest.mark.parametrize("is_turned", [False, True])
def test_what_one_table_lacks_is_refused_in_either_order(shop, is_turned):
    views, orders = shop.write("views.csv", VIEWS), shop.write("orders.csv", ORDERS)
    paths = (orders, views) if is_turned else (views, orders)
    line = shop.fail("csv", paths[0], f"--input={paths[1]}")
    assert f"{views}: no column 'purchase', in which {orders} has purchases" in line
    mapping = shop.write("m.yaml", "columns: {purchase: null}\n")
    printed = shop.convert("csv", paths[0], f"--input={paths[1]}", f"--mapping={mapping}")
    assert "2 events written" in printed


def test_columns_of_another_name_are_named_with_both_files(shop):
    views = shop.write("views.csv", VIEWS)
    orders = shop.write("orders.csv", VIEWS.replace("user", "user_id"))
    line = shop.fail("csv", views, f"--input={orders}")
    assert f"{orders}: the column of the user is 'user_id', but in {views} it is 'user'" in line


def test_purchases_in_the_second_table_are_found(shop):
    late = shop.write("late.csv", ORDERS.replace("user,item", "item,user"))
    printed = shop.convert("csv", shop.write("orders.csv", ORDERS), f"--input={late}")
    assert "2 purchases" in printed
    assert "user, item, time, purchase were found by their names" in printed

"""Objects a line: keys that come late, and values that are no single ones."""

import json

import pytest


def _write(shop, name, objects):
    return shop.write(name, "".join(json.dumps(found) + "\n" for found in objects))


def _log(shop, n=6, **further):
    rows = [{"user": "u", "item": f"i{k}", "time": f"2024-04-{k + 1:02d}"} for k in range(n)]
    return _write(shop, "log.json", [{**row, **further} for row in rows])


def test_a_key_that_first_comes_late_is_a_column(shop):
    rows = [{"user": "u", "item": f"i{k}", "time": 1.5e9 + k, "x": "x" * 1000} for k in range(1200)]
    rows[-1] |= {"vote": 3, "purchase": True}
    path = _write(shop, "log.json", rows)
    mapping = shop.write("m.yaml", "event_columns: {vote: {column: vote, type: float}}")
    printed = shop.convert("csv", path, f"--mapping={mapping}", "--max-bad=1")
    assert "user, item, time, purchase were found" in printed
    row = shop.rows()[-1]
    assert (row["vote"], row["purchase"]) == ("3", "1")


@pytest.mark.parametrize("empty", [None, "", {}, []])
def test_what_is_an_object_in_some_lines_costs_no_row(shop, empty):
    items = [{"item": f"i{k}", "price": k, "more": {"wifi": "yes"}} for k in range(6)]
    items[0]["more"] = empty
    path = _write(shop, "items.json", items)
    printed = shop.convert("csv", _log(shop), f"--items={path}")
    assert len(shop.rows("item")) == 6
    assert shop.header("item") == "item_id:token\tprice:float"
    left = "lists and objects" if empty == [] else "objects"
    assert (f"more ({left} in its cells)" in printed) == (empty != {})
    assert "more.wifi (no name of letters, digits and _)" in printed


def test_words_among_objects_are_left_out_too(shop):
    items = [{"item": f"i{k}", "price": k, "more": {"a": 1} if k % 2 else "none"} for k in range(6)]
    path = _write(shop, "items.json", items)
    printed = shop.convert("csv", _log(shop), f"--items={path}")
    assert "more (objects in its cells)" in printed


def test_a_rare_object_among_values_is_a_bad_row(shop):
    items = [{"item": f"i{k}", "price": k, "more": "x"} for k in range(2000)]
    items[7]["more"] = {"a": 1}
    path = _write(shop, "items.json", items)
    printed = shop.convert("csv", _log(shop), f"--items={path}")
    assert "1 bad rows (nested value)" in printed
    assert "more:token" in shop.header("item")


def test_a_column_of_the_log_that_holds_objects_is_refused_by_name(shop):
    rows = [{"user": {"id": k}, "item": f"i{k}", "time": "2024-04-01"} for k in range(6)]
    rows[0]["user"] = None
    assert "column 'user' holds objects, not single values" in shop.fail(
        "csv", _write(shop, "log.json", rows)
    )
    shop.convert("csv", _write(shop, "log.json", rows[1:]), "--user=user.id")
    assert [row["user_id"] for row in shop.rows()] == ["1", "2", "3", "4", "5"]


def test_what_nobody_asked_for_may_be_anything(shop):
    shop.convert("csv", _log(shop, more={"a": None}))
    assert len(shop.rows()) == 6

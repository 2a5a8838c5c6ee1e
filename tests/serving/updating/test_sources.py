"""What a header tells of a table of events."""

from pathlib import Path

import pytest

from recbole_imn.errors import DataError
from recbole_imn.serving.updating.reading import Files, Wanted, read_events
from recbole_imn.serving.updating.sources import Header, event_settings

NAMES = ["user", "item", "time", "behavior"]


def settings_of(names, columns=(), has_behaviors=False, tells_purchases=False):
    header = Header(Path("new.csv"), names, {})
    asked = {"columns": dict(columns)}
    return event_settings(header, asked, [], has_behaviors, tells_purchases)[0]["columns"]


def test_a_kind_of_action_is_not_looked_for_in_a_log_without_any():
    assert settings_of(NAMES)["behavior"] is None
    assert settings_of(NAMES, has_behaviors=True)["behavior"] == "behavior"


def test_of_a_log_with_purchases_alone_events_must_tell_them():
    with pytest.raises(DataError, match="no column tells the kind of action or a purchase"):
        settings_of(NAMES[:3], tells_purchases=True)
    assert settings_of([*NAMES[:3], "purchase"], tells_purchases=True)["purchase"] == "purchase"


@pytest.mark.parametrize("role", ["behavior", "purchase"])
def test_null_says_that_there_is_none(role):
    found = settings_of(NAMES, {role: None}, has_behaviors=True, tells_purchases=True)
    assert found[role] is None


@pytest.mark.parametrize("kinds", [(), ("purchase",)])
def test_every_row_may_be_a_purchase(tmp_path, kinds):
    path = tmp_path / "new.csv"
    path.write_text("user,item,time\na,b,2024-01-01\n")
    wanted = Wanted(0.0, (), kinds, has_purchases=True)
    files = Files(progress=False)
    with pytest.raises(DataError, match="no column tells the kind of action or a purchase"):
        read_events([path], {}, wanted, files)
    found = read_events([path], {"purchases": ["all"]}, wanted, files)
    assert found["purchase"].to_list() == [True]
    assert found["behavior"].to_list() == [kinds[0] if kinds else None]


@pytest.mark.parametrize("kinds", [(), ("view", "order")])
def test_a_file_may_be_all_one_action(tmp_path, kinds):
    for name, row in {"views.csv": "a,b,2024-01-01\n", "orders.csv": "a,b,2024-01-02\n"}.items():
        (tmp_path / name).write_text(f"user,item,time\n{row}")
    wanted = Wanted(0.0, (), kinds, has_purchases=True)
    paths = [tmp_path / "orders.csv", tmp_path / "views.csv"]
    actions = {"views.csv": "view", "orders.csv": "order"}
    settings = {"file_actions": actions, "purchases": ["order"]}
    found = read_events(paths, settings, wanted, Files(progress=False))
    assert found["purchase"].to_list() == [False, True]
    assert found["behavior"].to_list() == (["view", "order"] if kinds else [None, None])
    with pytest.raises(DataError, match=r"the action of 'views.csv' is given, but the files are o"):
        read_events(paths[:1], settings, wanted, Files(progress=False))
    del actions["views.csv"]
    with pytest.raises(DataError, match=r"views.csv: no action is given for this file"):
        read_events(paths, settings, wanted, Files(progress=False))


def test_a_further_column_may_be_in_some_files_alone(tmp_path):
    views, orders = tmp_path / "views.csv", tmp_path / "orders.csv"
    views.write_text("user,item,time\na,b,2024-01-01\n")
    orders.write_text("user,item,time,amount\na,b,2024-01-02,5\n")
    wanted = Wanted(0.0, ("price",), ("view", "order"), has_purchases=True)
    settings = {
        "file_actions": {"views.csv": "view", "orders.csv": "order"},
        "event_columns": {"price": {"column": "amount", "type": "float"}},
    }
    found = read_events([views, orders], settings, wanted, Files(progress=False))
    assert found["price"].to_list() == [None, "5"]
    del settings["file_actions"]["orders.csv"]
    with pytest.raises(DataError, match="no column 'amount'; the columns are user, item, time"):
        read_events([views], settings, wanted, Files(progress=False))

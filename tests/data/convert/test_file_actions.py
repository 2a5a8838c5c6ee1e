"""A log whose files have one action each, as shops export them."""

import pytest

CLICKS = (
    "7,2014-04-01T10:00:00.5Z,x,0\n7,2014-04-01T10:05:00.0Z,y,S\n8,2014-04-02T09:00:00.0Z,x,0\n"
)
# More columns than the other, no header, and a moment that a click has too.
BUYS = "7,2014-04-01T10:05:00.0Z,y,12462,1\n8,2014-04-02T10:00:00.0Z,x,0,0\n"
COLUMNS = ("--user=1", "--time=2", "--item=3", "--header=no")
ACTIONS = ("--file-action=clicks.dat=click", "--file-action=buys.dat=buy")
BOTH = (
    ("7", "x", "36000.5", "click", "0"),
    ("7", "y", "36300.0", "click", "0"),
    ("7", "y", "36300.0", "buy", "1"),
    ("8", "x", "118800.0", "click", "0"),
    ("8", "x", "122400.0", "buy", "1"),
)


@pytest.fixture
def files(shop):
    return shop.write("clicks.dat", CLICKS), f"--input={shop.write('buys.dat', BUYS)}"


def test_each_file_has_its_action(shop, files):
    printed = shop.convert("csv", *files, *COLUMNS, *ACTIONS, "--purchase=buy")
    assert [tuple(row.values()) for row in shop.rows()] == list(BOTH)
    assert "all rows of a file are one action, clicks.dat: click, buys.dat: buy" in printed
    assert shop.about()["options"]["file_actions"] == {"clicks.dat": "click", "buys.dat": "buy"}


def test_a_mapping_names_files_and_codes(shop, files):
    text = """
columns: {user_id: 1, timestamp: 2, item_id: 3}
header: false
file_actions: {elsewhere/clicks.dat: 1, buys.dat: 2}
behaviors: {1: click, 2: buy, 3: cart}
purchases: buy
"""
    mapping = shop.write("log.yaml", text)
    shop.convert("csv", *files, f"--mapping={mapping}")
    assert [tuple(row.values()) for row in shop.rows()] == list(BOTH)


def test_a_column_called_behavior_is_not_looked_for(shop):
    one = shop.write("one.csv", "user,item,time,behavior\na,x,2024-01-01,odd\n")
    two = shop.write("two.csv", "user,item,time\nb,x,2024-01-02\n")
    actions = ("--file-action=one.csv=view", "--file-action=two.csv=order")
    shop.convert("csv", one, f"--input={two}", *actions, "--purchase=order")
    assert [row["behavior"] for row in shop.rows()] == ["view", "order"]
    told = shop.fail("csv", one, *actions[:1], "--behavior=behavior")
    assert "told by the column 'behavior' and for whole files; keep one" in told


def test_without_actions_the_option_is_pointed_out(shop, files):
    printed = shop.convert("csv", *files, *COLUMNS)
    assert "where each file has one action, all of them with --file-action=FILE=ACTION" in printed
    assert "--file-action" in shop.fail("csv", *files, *COLUMNS, "--purchase=buy")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (ACTIONS[:1], "buys.dat: no action is given for this file, but for clicks.dat; add --file"),
        ((*ACTIONS, "--file-action=b=c"), "the action of 'b' is given, but the files are clicks."),
        ((*ACTIONS, "--file-action=buys.dat=x"), "gives buys.dat two actions, 'buy' and 'x'"),
        (("--file-action=clicks.dat",), "is 'clicks.dat'; write FILE=ACTION, such as"),
        (("--file-action==click",), "is '=click'; write FILE=ACTION, such as"),
        ((*ACTIONS, "--purchase=all"), "'all' is to be a purchase, but the actions are click, buy"),
        ((*ACTIONS, "--behavior=4"), "told by the column 4 and for whole files; keep one"),
    ],
)
def test_what_does_not_fit_is_told(shop, files, options, told):
    assert told in shop.fail("csv", *files, *COLUMNS, *options)


def test_an_action_without_a_code_is_told(shop, files):
    text = "behaviors: {click: klick}\nfile_actions: {clicks.dat: click, buys.dat: buy}\n"
    mapping = shop.write("log.yaml", text)
    told = shop.fail("csv", *files, *COLUMNS, f"--mapping={mapping}")
    assert "buys.dat: its action is 'buy', but codes of actions are click" in told


def test_other_sources_have_no_such_option(shop, files):
    assert "--file-action is for csv and czb" in shop.fail("jodie", files[0], ACTIONS[0])

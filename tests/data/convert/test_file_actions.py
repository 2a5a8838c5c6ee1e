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


def test_a_further_column_may_be_in_some_files_alone(shop):
    one = shop.write("views.csv", "user,item,time\na,x,2024-01-01\nb,x,2024-01-03\n")
    two = shop.write("orders.csv", "amount,user,item,time\n9.5,a,x,2024-01-02\n")
    text = """
file_actions: {views.csv: view, orders.csv: order}
purchases: order
event_columns: {price: {column: amount, type: float}}
"""
    mapping = f"--mapping={shop.write('log.yaml', text)}"
    for files in ([one, f"--input={two}"], [two, f"--input={one}"]):
        printed = shop.convert("csv", *files, mapping)
        assert "views.csv has no column for price: empty cells" in printed
        assert shop.header().endswith("purchase:float\tprice:float")
        assert [row["price"] for row in shop.rows()] == ["", "9.5", ""]
    shop.write("log.yaml", text.replace("amount", "amunt"))
    told = shop.fail("csv", one, f"--input={two}", mapping)
    assert "views.csv: no column 'amunt'; the columns are user, item, time" in told


def test_a_pattern_names_many_files(shop):
    days = [
        shop.write(f"views-{day}.csv", f"user,item,time\na,x,2024-01-0{day}\n") for day in (1, 2)
    ]
    days.append(shop.write("orders[1].csv", "user,item,time\na,x,2024-01-03\n"))
    inputs = [days[0], *(f"--input={path}" for path in days[1:])]
    actions = ("--file-action=views-*.csv=view", "--file-action=orders[1].csv=order")
    shop.convert("csv", *inputs, *actions, "--purchase=order")
    assert [row["behavior"] for row in shop.rows()] == ["view", "view", "order"]
    # What names a file alone is surer.
    shop.convert("csv", *inputs, *actions, "--file-action=views-2.csv=glance")
    assert [row["behavior"] for row in shop.rows()] == ["view", "glance", "order"]
    told = shop.fail("csv", *inputs, *actions, "--file-action=*-2.csv=glance")
    assert "views-2.csv: actions view and glance are given for it; keep one" in told

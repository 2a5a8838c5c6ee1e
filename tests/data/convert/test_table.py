"""Any table with a mapping, and the platform's own log."""

import numpy as np
import polars as pl
import pytest

COLUMNS = ("--user=who", "--item=what", "--time=when")
CSV = (
    "who,what,when,did,paid\n"
    '"a, b","the ""x""",2020-01-02 10:00:00,view,\n'
    "c,y,2020-01-01 09:00:00.25,order,12.5\n"
)


def test_names_of_columns_are_all_that_a_table_needs(shop):
    path = shop.write("log.csv", CSV)
    printed = shop.convert("csv", path, *COLUMNS, "--behavior=did", "--purchase=order,paid")
    assert [tuple(row.values()) for row in shop.rows()] == [
        ("c", "y", "32400.25", "order", "1"),
        ("a, b", 'the "x"', "122400.0", "view", "0"),
    ]
    assert "times were read as %Y-%m-%d %H:%M:%S%.f, time zone UTC" in printed


def test_columns_with_usual_names_need_not_be_named(shop):
    named = ("--user=user", "--item=item", "--time=time", "--behavior=behavior", "--purchase=buy")
    text = "item,time,note,user,behavior,purchase\na,2024-01-01 10:00,x,00042,buy,0\n"
    path = shop.write("log.csv", text)
    shop.convert("csv", path, *named, name="named")
    printed = shop.convert("csv", path, "--purchase=buy", name="found")
    assert "user, item, time, behavior were found by their names" in printed
    assert shop.rows(name="found") == shop.rows(name="named")
    assert shop.rows(name="found")[0]["user_id"] == "00042"
    assert shop.rows(name="found")[0]["purchase"] == "1"
    # Without a word of actions, the column of that name tells.
    shop.convert("csv", path, name="flags")
    assert shop.rows(name="flags")[0]["purchase"] == "0"


def test_what_nobody_names_is_found_by_its_usual_name(shop):
    path = shop.write("log.csv", "who,item,time,behavior\na,b,2024-01-01 10:00,view\n")
    printed = shop.convert("csv", path, "--user=who")
    assert "of the log's columns, item, time, behavior were found by their names" in printed
    row = shop.rows()[0]
    assert (row["user_id"], row["item_id"], row["behavior"]) == ("a", "b", "view")
    assert "no column is named for user_id" in shop.fail("csv", path, "--item=item")


def test_a_column_has_one_meaning_and_a_role_can_be_said_to_have_none(shop):
    text = "item,product,time,behavior\na,b,2024-01-01 10:00,view\n"
    path = shop.write("log.csv", text)
    shop.convert("csv", path, "--user=item", "--item=product")
    assert shop.rows()[0]["user_id"] == "a"
    mapping = shop.write("none.yaml", "columns: {user_id: item, item_id: product, behavior: null}")
    shop.convert("csv", path, f"--mapping={mapping}", name="none")
    assert "behavior" not in shop.header(name="none")


def test_a_time_in_two_named_columns_leaves_the_others_to_be_found(shop):
    path = shop.write("log.csv", "user,item,date,clock\na,b,2024-01-01,10:00:00\n")
    mapping = shop.write("apart.yaml", "columns: {timestamp: [date, clock]}")
    shop.convert("csv", path, f"--mapping={mapping}")
    assert shop.rows()[0]["timestamp"] == "36000"


def test_a_header_is_told_as_yaml_has_it(shop):
    path = shop.write("log.csv", "a,b,2024-01-01 10:00\n")
    shop.convert("csv", path, "--user=1", "--item=2", "--time=3", "--header=no")
    assert len(shop.rows()) == 1
    assert "header is 'never'" in shop.fail("csv", path, "--user=1", "--header=never", name="b")


def test_columns_by_position_are_all_that_there_is(shop):
    path = shop.write("log.csv", "user,item,time,behavior\na,b,2024-01-01 10:00,view\n")
    shop.convert("csv", path, "--user=1", "--item=2", "--time=3")
    assert "behavior" not in shop.header()


def test_a_purchase_that_never_occurs_is_pointed_out(shop):
    path = shop.write("log.csv", CSV)
    printed = shop.convert("csv", path, *COLUMNS, "--behavior=did", "--purchase=ordr")
    assert "no event is 'ordr', which was to be a purchase; check its name" in printed
    printed = shop.convert("csv", path, *COLUMNS, "--behavior=did", "--purchase=order, byu")
    assert "1 purchases" in printed
    assert "no event is 'byu', which" in printed
    assert "no event is 'order'" not in printed


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (["1577836800", "1577836801"], ["0", "1"]),
        (["1577836800123", "1577836800124"], ["0.123", "0.124"]),
        (["1577836800123456", "1577836800123457"], ["0.123456", "0.123457"]),
        (["20200101", "20200102"], ["0", "86400"]),
        (["2020-01-01", "2020-01-03"], ["0", "172800"]),
        (["2020-01-01T02:00:00+02:00", "2020-01-01T00:00:01Z"], ["0", "1"]),
        (["2020/01/01 00:00:05", "2020/01/01 00:00:07"], ["5", "7"]),
        (["2020-01-01 00:01", "2020-01-01 00:02"], ["60", "120"]),
    ],
)
def test_times_of_many_kinds_are_read_exactly(shop, when, expected):
    rows = "".join(f"u,i{place},{time}\n" for place, time in enumerate(when))
    shop.convert("csv", shop.write("log.csv", "who,what,when\n" + rows), *COLUMNS)
    assert [row["timestamp"] for row in shop.rows()] == expected


def test_a_clock_that_skips_and_repeats_an_hour(shop):
    rows = "u,i,2020-03-29 02:30:00\nu,j,2020-10-25 02:30:00\nu,k,2020-10-25 03:30:00\n"
    path = shop.write("log.csv", "who,what,when\n" + rows)
    shop.convert("csv", path, *COLUMNS, "--time-zone=Europe/Berlin", "--max-bad=0.5")
    assert shop.rejected() == [(2, "time", "u,i,2020-03-29 02:30:00")]
    first, second = (float(row["timestamp"]) for row in shop.rows())
    assert second - first == 7_200


def test_parquet_gives_the_same_log_as_text(shop):
    frame = pl.read_csv(shop.write("log.csv", CSV), try_parse_dates=True)
    assert frame["when"].dtype == pl.Datetime
    frame.write_parquet(shop.folder / "log.parquet")
    options = (*COLUMNS, "--behavior=did", "--purchase=order")
    shop.convert("csv", shop.folder / "log.csv", *options, name="text")
    shop.convert("csv", shop.folder / "log.parquet", *options, name="packed")
    assert shop.rows(name="text") == shop.rows(name="packed")


MAPPING = """
columns: {user_id: 1, item_id: 2, timestamp: 3, purchase: 5}
separator: ";"
event_columns: {price: {column: 4, type: float}}
item_columns: {brand: {column: brand}}
"""


def test_a_mapping_file_with_positions_and_further_columns(shop):
    mapping = shop.write("mine.yaml", MAPPING)
    path = shop.write("log.csv", "u;i;t;p;bought;brand\n1;2;5;9.5;1;vw\n1;3;4;;0;\n")
    shop.convert("csv", path, f"--mapping={mapping}")
    assert shop.header().endswith("purchase:float\tprice:float")
    assert [(row["price"], row["purchase"]) for row in shop.rows()] == [("", "0"), ("9.5", "1")]
    assert shop.rows("item") == [
        {"item_id": "2", "brand": "vw"},
        {"item_id": "3", "brand": ""},
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "no column is named for user_id, item_id, timestamp"),
        (("--user=wo", *COLUMNS[1:]), "no column 'wo'; the columns are who, what, when, did, paid"),
        (("--user=9", *COLUMNS[1:]), "column 9 is asked for, but there are 5"),
        ((*COLUMNS, "--purchase=order"), "give --behavior=COLUMN"),
        ((*COLUMNS, "--time-zone=Mars"), "there is no time zone 'Mars'"),
        ((*COLUMNS, "--time-format=%d.%m.%Y"), "the time format '%d.%m.%Y' does not fit"),
        (
            (*COLUMNS[:2], "--time=did"),
            "log.csv: none of the first values of the time column is a time",
        ),
        ((*COLUMNS, "--encoding=klingon"), "there is no encoding 'klingon'"),
        ((*COLUMNS, "--separator=ab"), "the separator is 'ab'"),
        ((*COLUMNS, "--mapping=gone.yaml"), "gone.yaml, which does not exist"),
        ((*COLUMNS, "--max-bad=2"), "--max-bad is 2.0"),
        ((*COLUMNS, "--label-is-purchase"), "--label-is-purchase is for jodie, not csv"),
    ],
)
def test_options_that_make_no_sense_are_one_line(shop, options, message):
    assert message in shop.fail("csv", shop.write("log.csv", CSV), *options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colums: {user_id: 1}", "unknown key 'colums'; did you mean columns?"),
        ("columns: {user: 1}", "unknown key 'columns.user'; did you mean user_id?"),
        (
            "columns: {user_id: [1]}",
            "columns.user_id is [1]; it must be a name from the header or a position from 1",
        ),
        (
            "event_columns: {price: {column: 1, type: int}}",
            "event_columns.price.type is 'int'; it must be one of 'token' or 'float'",
        ),
        ("event_columns: {time: 1}", "a further column cannot be called 'time'"),
        ("columns: 7", "columns is 7; it must be a list of NAME: VALUE"),
        (
            "{behaviors: {1: buy}, purchases: [by]}",
            "'by' is to be a purchase, but the actions are buy",
        ),
        ("behaviors: [a]", "behaviors is ['a']; it must be a list of NAME: VALUE"),
        ("- a", "holds no settings"),
        ("a: [", "is not valid yaml"),
    ],
)
def test_a_wrong_mapping_is_one_line(shop, text, message):
    mapping = shop.write("mine.yaml", text)
    assert message in shop.fail("csv", shop.write("log.csv", CSV), f"--mapping={mapping}")


# One row an event: user, car and time first, model and registration date next, the action 14th.
CZB = (
    "u1,c1,2019-05-01 08:00:00,M7,2012-03-01,a,b,c,d,e,f,g,h,1,x\n"
    "u2,c2,2019-05-01 07:30:00,M8,2013-04-01,a,b,c,d,e,f,g,h,3,x\n"
)
CARS = (
    "car_id,price,type,year,mileage,listed_at,delisted_at\n"
    "c1,150000,suv,2012,80000,2019-04-30 12:00:00,2019-05-01 09:00:00\n"
    "c1,150000,suv,2012,80000,2019-05-02 00:00:00,\n"
    "c2,90000,van,2013,120000,2019-05-01 06:00:00,2019-05-01 08:00:00\n"
)


def test_the_platforms_log_needs_no_mapping(shop):
    printed = shop.convert("czb", shop.write("log.csv", CZB))
    assert shop.about()["origin"] == "2019-05-01T00:00:00+08:00"
    assert [tuple(row.values()) for row in shop.rows()] == [
        ("u2", "c2", "27000", "trade", "1"),
        ("u1", "c1", "28800", "action1", "0"),
    ]
    assert shop.rows("item")[1] == {
        "item_id": "c2", "model": "M8", "registration_date": "2013-04-01",
    }  # fmt: skip
    assert "model and registration_date are columns 4 and 5" in printed


def test_a_header_is_noticed_and_an_unknown_action_is_a_bad_row(shop):
    header = "user,car,time,model,registered," + ",".join("abcdefgh") + ",action,note\n"
    text = header + CZB + CZB.splitlines()[0].replace(",1,x", ",sold,x") + "\n"
    shop.convert("czb", shop.write("log.csv", text), "--max-bad=0.5")
    assert [(line, kind) for line, kind, _ in shop.rejected()] == [(4, "unknown action")]


def test_a_table_with_too_few_columns_is_no_such_log(shop):
    line = shop.fail("czb", shop.write("log.csv", "u,c,2019-05-01 08:00:00,3\n"))
    assert "column 14 is asked for, but there are 4" in line


def test_cars_and_images_become_attributes(shop):
    rng = np.random.default_rng(0)
    for car in ("c1", "c2", "c9"):
        path = shop.folder / "images" / f"{car}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, rng.normal(size=16).astype(np.float32))
    printed = shop.convert(
        "czb",
        shop.write("log.csv", CZB),
        f"--items={shop.write('cars.csv', CARS)}",
        f"--images={shop.folder / 'images'}",
        "--image-width=2",
    )
    first, second = shop.rows("item")
    assert (first["price"], first["type"], first["mileage"]) == ("150000", "suv", "80000")
    # The second stay begins after the log's end, and nobody has ended it.
    assert first["listed_at"] == "-43200 86400"
    assert first["delisted_at"] == "32400 inf"
    assert second["listed_at"] == "21600"
    assert [len(row["image"].split()) for row in (first, second)] == [16, 16]
    assert "train with reduced_features: {image: 2}" in printed


def test_columns_that_a_car_table_lacks_are_named(shop):
    cars = shop.write("cars.csv", "car_id,price,km\nc1,5,7\n")
    printed = shop.convert("czb", shop.write("log.csv", CZB), f"--items={cars}")
    assert (
        "left out: type (not there), registration_year (not there), mileage (not there)" in printed
    )


def test_a_car_bought_before_it_was_listed_is_a_bad_row(shop):
    cars = shop.write("cars.csv", CARS.replace("2019-05-01 06:00:00", "2019-05-01 07:45:00"))
    path = shop.write("log.csv", CZB)
    shop.convert("czb", path, f"--items={cars}", "--max-bad=0.5")
    assert [kind for _, kind, _ in shop.rejected()] == ["purchase before any listing"]


def test_another_encoding_can_be_named(shop):
    path = shop.write("log.csv", CZB.replace("u1", "\u738b").encode("gbk"))
    shop.convert("czb", path, "--encoding=gbk")
    assert shop.rows()[1]["user_id"] == "\u738b"


@pytest.mark.parametrize(
    ("yes", "no"), [("1", "0"), ("True", "false"), ("t", "f"), ("Y", "N"), ("yes", "no")]
)
def test_a_column_of_purchases_may_have_words(shop, yes, no):
    text = f"user,item,time,purchase\na,b,2024-01-01,{yes}\na,c,2024-01-02,{no}\n"
    shop.convert("csv", shop.write("log.csv", text))
    assert [row["purchase"] for row in shop.rows()] == ["1", "0"]


def test_a_flag_that_is_none_is_told_what_it_must_be(shop):
    path = shop.write("log.csv", "user,item,time,purchase\na,b,2024-01-01,sold\n")
    assert "(it must be 0, false, f or no, or 1, true, t or yes;" in shop.fail("csv", path)


def test_every_row_may_be_a_purchase(shop):
    path = shop.write("log.csv", "user,item,time\na,b,2024-01-01\na,c,2024-01-02\n")
    printed = shop.convert("csv", path, "--purchase=all")
    assert "2 purchases" in printed
    assert {(row["behavior"], row["purchase"]) for row in shop.rows()} == {("purchase", "1")}
    # Where a column has actions, it is the name of one.
    path = shop.write(
        "log.csv", "user,item,time,behavior\na,b,2024-01-01,all\na,c,2024-01-02,one\n"
    )
    shop.convert("csv", path, "--purchase=all", name="actions")
    assert [row["purchase"] for row in shop.rows(name="actions")] == ["1", "0"]
    path = shop.write("log.csv", "user,item,time\na,b,2024-01-01\n")
    assert "--purchase=all where every row is a purchase" in shop.fail(
        "csv", path, "--purchase=buy"
    )

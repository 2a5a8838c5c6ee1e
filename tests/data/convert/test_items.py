"""Tables of items: whose columns are found, and how their times are read."""

from recbole_imn.data.describe.log import read_log
from recbole_imn.data.describe.measures import profile

LOG = "who,what,when\na,i1,03/04/2024 10:00\nb,i2,13/04/2024 11:00\n"
NAMES = ("--user=who", "--item=what", "--time=when", "--time-format=%d/%m/%Y %H:%M")


def test_a_told_format_of_times_reaches_the_items(shop):
    items = "what,listed_at,delisted_at,made\ni1,01/04/2024 08:00,14/04/2024 09:00,02/01/2020 00:00"
    path = shop.write("items.csv", f"{items}\n")
    shop.convert("csv", shop.write("log.csv", LOG), *NAMES, f"--items={path}")
    row = shop.rows("item")[0]
    assert (row["listed_at"], row["delisted_at"]) == ("-144000", "982800")
    # 1,553 days before the day of the first event, from where times count.
    assert row["made"] == str(-1553 * 86_400)


def test_times_of_items_may_be_written_otherwise(shop):
    path = shop.write("items.csv", "what,listed_at\ni1,2024-04-01\ni2,2024-04-02\n")
    shop.convert("csv", shop.write("log.csv", LOG), *NAMES, f"--items={path}")
    assert shop.rows("item")[0]["listed_at"] == str(-2 * 86_400)


def test_times_that_nobody_can_tell_are_named_with_file_and_column(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    path = shop.write("items.csv", "item,listed_at\ni1,01/04/2024\n")
    line = shop.fail("csv", log, f"--items={path}")
    assert f"{path}, column listed_at: none of the first values" in line
    assert "01/04/2024" in line


def test_the_item_of_a_table_has_a_usual_name_or_that_of_the_log(shop):
    log = shop.write("log.csv", "user,what,time\na,i1,2024-04-03\n")
    for name in ("what", "item", "item_id"):
        path = shop.write("items.csv", f"{name},price\ni1,5\n")
        shop.convert("csv", log, "--item=what", f"--items={path}", name=name)
        assert shop.rows("item", name)[0]["price"] == "5"
    path = shop.write("items.csv", "thing,price\ni1,5\n")
    line = shop.fail("csv", log, "--item=what", f"--items={path}")
    assert "no column 'what' or 'item' or 'item_id'; the columns are thing, price" in line
    assert "name it in a mapping" in line


def test_it_is_said_why_a_column_is_left_out(shop):
    rows = "".join(f"i{n},good{chr(9) if n == 3 else ' '}thing,,{n},x\n" for n in range(20))
    path = shop.write("items.csv", f"item,title,nothing,a-b,user_id\n{rows}")
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    printed = shop.convert("csv", log, f"--items={path}")
    assert "title (tabs, line ends or broken signs in 1 cells)" in printed
    assert "nothing (empty)" in printed
    assert "a-b (no name of letters, digits and _)" in printed
    renamed = "(a name with another meaning; item_columns of a mapping names what is kept)"
    assert f"user_id {renamed}" in printed


def test_a_format_told_of_the_items_reaches_their_attributes(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    path = shop.write("items.csv", "item,listed_at,made\ni1,01/04/2024,02/01/2020\n")
    for name, columns in (("found", ""), ("told", ", item_columns: {made: {type: time}}")):
        text = f"items: {{time_format: '%d/%m/%Y', columns: {{listed_at: listed_at}}{columns}}}"
        mapping = shop.write(f"{name}.yaml", text)
        shop.convert("csv", log, f"--items={path}", f"--mapping={mapping}", name=name)
        row = shop.rows("item", name)[0]
        assert (row["listed_at"], row["made"]) == (str(-2 * 86_400), str(-1553 * 86_400))


def test_days_that_begin_with_a_zero_are_times_where_that_is_told(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,03042024\n")
    path = shop.write("items.csv", "item,made_on,number\ni1,02012020,007\ni2,13012020,008\n")
    shop.convert("csv", log, "--time-format=%d%m%Y", f"--items={path}")
    assert shop.rows("item")[0]["made_on"] == str(-1553 * 86_400)
    assert shop.rows("item")[0]["number"] == "007"


def test_words_that_say_that_there_is_none_are_no_times(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    rows = "i1,2024-04-01,null\ni2,2024-04-02,-\ni3,2024-04-02,2024-04-05\n"
    path = shop.write("items.csv", f"item,listed_at,delisted_at\n{rows}")
    shop.convert("csv", log, f"--items={path}")
    assert [row["delisted_at"] for row in shop.rows("item")] == ["inf", "inf", str(3 * 86_400 - 1)]


def test_a_bad_time_is_told_with_its_column(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    rows = "i1,2024-04-01,2024-04-05\ni2,2024-04-01,soon\ni3,2024-04-01 10:00:00,2024-04-05\n"
    path = shop.write("items.csv", f"item,listed_at,delisted_at\n{rows}")
    shop.convert("csv", log, f"--items={path}", "--max-bad=1")
    assert [(line, kind) for line, kind, _ in shop.rejected()] == [
        (3, "time in delisted_at"),
        (4, "time in listed_at"),
    ]


def test_who_has_no_end_is_there_still(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    path = shop.write("items.csv", "item,delisted_at\ni1,2024-04-05\ni2,\n")
    shop.convert("csv", log, f"--items={path}")
    assert [row["delisted_at"] for row in shop.rows("item")] == [str(3 * 86_400 - 1), "inf"]
    assert [row["listed_at"] for row in shop.rows("item")] == ["0", "0"]
    path = shop.write("both.csv", "item,listed_at,delisted_at\ni1,2024-04-01,\ni2,,\n")
    printed = shop.convert("csv", log, f"--items={path}", name="both")
    assert "1 rows of items have no times, and no stay on the shelf" in printed


def test_columns_without_a_name_are_left_out_as_such(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    path = shop.write("items.csv", "item,,,price\ni1,x,y,5\n")
    printed = shop.convert("csv", log, f"--items={path}")
    assert "column 2 (no name), column 3 (no name)" in printed


def test_a_table_that_knows_none_of_the_logs_items_is_a_warning(shop):
    log = shop.write("log.csv", "user,item,time\na,1.0,2024-04-03\na,2.0,2024-04-04\n")
    warning = "no item of the log is in any file of items; check that both call items alike"
    path = shop.write("items.csv", "item,price\n1,5\n2,6\n")
    assert warning in shop.convert("csv", log, f"--items={path}", name="neither")
    path = shop.write("items.csv", "item,price\n1.0,5\n3.0,6\n")
    assert warning not in shop.convert("csv", log, f"--items={path}", name="one")
    assert warning not in shop.convert("csv", log, name="alone")


def test_an_end_that_is_a_day_is_the_end_of_that_day(shop):
    log = shop.write(
        "log.csv", "user,item,time\na,i1,2024-04-03 12:00:00\na,i1,2024-04-04 00:00:00\n"
    )
    path = shop.write("items.csv", "item,listed_at,delisted_at\ni1,2024-04-03,2024-04-03\n")
    printed = shop.convert("csv", log, f"--items={path}")
    assert shop.rows("item")[0]["delisted_at"] == str(86_399)
    assert "1 events (50.0%) are of items not for sale then" in printed
    assert shop.about()["counts"]["off_shelf"] == 1
    text = "user,item,time\na,i1,2024-04-03 23:59:59.5\n"
    printed = shop.convert("csv", shop.write("log.csv", text), f"--items={path}", name="fine")
    assert shop.rows("item", "fine")[0]["delisted_at"] == str(86_399.999999)
    assert "not for sale" not in printed


def test_events_of_items_not_for_sale_are_counted_with_their_purchases(shop):
    rows = [("i1", day, day == 5) for day in range(1, 8)] + [("i2", 3, True), ("i3", 1, False)]
    text = "".join(f"u,{item},2024-04-0{day} 10:00,{int(buy)}\n" for item, day, buy in rows)
    log = shop.write("log.csv", f"user,item,time,purchase\n{text}")
    stays = "i1,2024-04-02,2024-04-03\ni1,2024-04-03,2024-04-04\ni1,2024-04-06,\ni2,2024-04-01,\n"
    path = shop.write("items.csv", f"item,listed_at,delisted_at\n{stays}")
    printed = shop.convert("csv", log, f"--items={path}", "--max-bad=0.5")
    # i1 on its first and fifth day, and i3, which no file knows.
    assert "3 events (33.3%, 1 of them purchases) are of items not for sale then" in printed


def test_days_of_stays_may_have_a_decimal_as_columns_with_gaps_do(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-03-03 10:00\nb,i2,2024-03-04 10:00\n")
    for name, told in (("auto", ()), ("told", ("--time-format=%Y-%m-%d %H:%M",))):
        path = shop.write(
            "items.csv", "item,listed_at,delisted_at\ni1,20240301.0,\ni2,20240302.0,20240305.0\n"
        )
        printed = shop.convert("csv", log, f"--items={path}", *told, name=name)
        stays = [(row["listed_at"], row["delisted_at"]) for row in shop.rows("item", name)]
        assert stays == [(str(-2 * 86_400), "inf"), ("-86400", str(3 * 86_400 - 1))]
        assert "years away" not in printed


def test_days_of_items_are_no_seconds_though_the_log_has_seconds(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,1709460000\n")
    path = shop.write("items.csv", "item,listed_at\ni1,20240301\n")
    shop.convert("csv", log, f"--items={path}", "--time-format=seconds")
    assert shop.rows("item")[0]["listed_at"] == str(-2 * 86_400)


def test_stays_years_away_from_the_log_are_pointed_out(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-03-03 10:00\n")
    path = shop.write("items.csv", "item,listed_at,delisted_at\ni1,1709200000,\ni2,1709200,\n")
    printed = shop.convert("csv", log, f"--items={path}")
    assert (
        "1 of 2 stays on the shelf lie years away from the log, which is of 2024-03-03" in printed
    )
    assert "of item 'i2', listed 1970-01-20" in printed
    assert "items: {time_format: PATTERN}" in printed


def test_days_without_a_midnight_begin_when_the_clock_goes_on(shop):
    log = shop.write(
        "log.csv", "user,item,time\na,i1,2018-11-03\na,i1,2018-11-04\na,i1,2018-11-05\n"
    )
    path = shop.write(
        "items.csv", "item,listed_at,delisted_at,made_on\ni1,2018-11-04,2018-11-04,2018-11-04\n"
    )
    shop.convert("csv", log, f"--items={path}", "--time-zone=America/Sao_Paulo")
    assert [row["timestamp"] for row in shop.rows()] == ["0", "86400", str(47 * 3600)]
    assert shop.rows("item") == [
        {
            "item_id": "i1",
            "made_on": "86400",
            "listed_at": "86400",
            "delisted_at": str(47 * 3600 - 1),
        }
    ]


def test_a_stay_of_unknown_beginning_that_ended_before_the_log_is_in_none_of_it(shop):
    log = shop.write("log.csv", "user,item,time\na,gone,2024-04-03\na,i1,2024-04-03\n")
    stays = "gone,,2024-04-01\ngone,2024-03-01,2024-03-02\nlast,,2024-04-02\ni1,,2024-04-03\n"
    path = shop.write("items.csv", f"item,listed_at,delisted_at\n{stays}")
    printed = shop.convert("csv", log, f"--items={path}")
    # What has a beginning stays; days have their whole first day at the log's first second.
    assert [(row["listed_at"], row["delisted_at"]) for row in shop.rows("item")] == [
        (str(-33 * 86_400), str(-31 * 86_400 - 1)),
        ("0", "86399"),
        ("", ""),
    ]
    assert "1 events (50.0%) are of items not for sale then" in printed
    assert "2 of 4 stays on the shelf ended before the log and have no beginning" in printed
    shelf = profile(read_log(shop.output / "set", "set")).figures["shelf"]
    assert (shelf["listings"], shelf["events_off_shelf"]) == (2, 1)


def test_a_log_of_which_no_item_is_for_sale_has_no_stay(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\na,i1,2024-04-04\n")
    path = shop.write("items.csv", "item,delisted_at\ni1,2024-04-01\n")
    printed = shop.convert("csv", log, f"--items={path}")
    assert shop.rows("item") == [{"item_id": "i1", "listed_at": "", "delisted_at": ""}]
    assert "2 events (100.0%) are of items not for sale then" in printed
    shelf = profile(read_log(shop.output / "set", "set")).figures["shelf"]
    assert (shelf["listings"], shelf["events_off_shelf"]) == (0, 2)


def test_numbers_are_names_where_a_word_of_their_column_says_so(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    head = "item,bid,amount_paid,price_mean,is_clean,brandid,typeId,ean13"
    path = shop.write("items.csv", f"{head}\ni1,5,5,6,1,7,8,4006381333931\n")
    printed = shop.convert("csv", log, f"--items={path}")
    assert "numbers in bid, amount_paid, price_mean, is_clean; words in brandid" in printed
    assert "ean13:token" in shop.header("item")


def test_numbers_as_people_write_them_are_words_that_are_pointed_out(shop):
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    head = "item;price;paid_in;share;km;made;code_no;size"
    rows = (
        'i1;"$1,200.00";1.200,00 EUR;95%;12 000 km;01.02.2020;A1;XL\n'
        'i2;"$900.50";35,5 EUR;7%;900 km;03.02.2020;A2;M\n'
    )
    path = shop.write("items.csv", f"{head}\n{rows}")
    printed = shop.convert("csv", log, f"--items={path}")
    odd = "price ('$1,200.00'), paid_in ('1.200,00 EUR'), share ('95%'), km ('12 000 km')"
    assert f"words among the numbers of {odd}; --mapping" in printed
    assert "times in made; words in price, paid_in, share, km, code_no, size" in printed

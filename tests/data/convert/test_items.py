"""Tables of items: whose columns are found, and how their times are read."""

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
    assert "no column 'item_id'; the columns are thing, price" in shop.fail(
        "csv", log, "--item=what", f"--items={path}"
    )


def test_it_is_said_why_a_column_is_left_out(shop):
    rows = "".join(f"i{n},good{chr(9) if n == 3 else ' '}thing,,{n},x\n" for n in range(20))
    path = shop.write("items.csv", f"item,title,nothing,a-b,user_id\n{rows}")
    log = shop.write("log.csv", "user,item,time\na,i1,2024-04-03\n")
    printed = shop.convert("csv", log, f"--items={path}")
    assert "title (tabs, line ends or broken signs in 1 cells)" in printed
    assert "nothing (empty)" in printed
    assert "a-b (no name of letters, digits and _)" in printed
    assert "user_id (a name with another meaning)" in printed

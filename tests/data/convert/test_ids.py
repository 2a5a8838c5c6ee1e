"""Ids that are kept as they are written, and pointed out where they may mean something else."""

from decimal import Decimal

import polars as pl
import pytest

START = 1_700_000_000


def _log(*ids):
    return "user,item,time\n" + "".join(f"{u},{i},{START + n}\n" for n, (u, i) in enumerate(ids))


def test_one_user_who_is_nobody_is_kept_and_pointed_out(shop):
    path = shop.write(
        "log.csv", _log(("NULL", "x"), ("NULL", "y"), ("a", "nan"), ("Nullah", "NAN1"))
    )
    printed = shop.convert("csv", path)
    assert "user 'NULL' has 2 of 4 events; if it means nobody, take these rows out" in printed
    assert "item 'nan' has 1 of 4 events" in printed
    assert "Nullah" not in printed
    assert "NAN1" not in printed
    assert [row["user_id"] for row in shop.rows()] == ["NULL", "NULL", "a", "Nullah"]
    path.write_text(path.read_text().replace("NULL", ""))
    printed = shop.convert("csv", path, "--max-bad=0.5")
    assert "2 bad rows (empty id)" in printed


def test_numbers_in_two_spellings_are_pointed_out(shop):
    one, other = shop.write("a.csv", _log(("7", "x"), ("8", "x"))), _log(("7.0", "x"), ("9.0", "y"))
    printed = shop.convert("csv", one, f"--input={shop.write('b.csv', other)}")
    assert "b.csv: 2 of 2 events have users written as numbers with .0, such as '7.0'" in printed
    assert "another user than '7'" in printed
    assert "items written" not in printed
    printed = shop.convert("csv", shop.write("b.csv", other))
    assert "b.csv: 2 of 2 events have users written as numbers with .0" in printed
    printed = shop.convert("csv", shop.write("c.csv", _log(("7", "x"), ("7.0", "x"))))
    assert "c.csv: 1 of 2 events have users" in printed
    printed = shop.convert("csv", shop.write("versions.csv", _log(("1.0", "x"), ("1.1", "x"))))
    assert "written as numbers" not in printed


def test_decimal_ids_of_parquet_are_whole_numbers_where_they_are(shop):
    numbers = pl.Series(
        [Decimal("55.00"), Decimal("100.50"), Decimal("-20.00")], dtype=pl.Decimal(9, 2)
    )
    whole = pl.Series([Decimal(100), Decimal(7), Decimal(10)], dtype=pl.Decimal(9, 0))
    frame = pl.DataFrame({"user": numbers, "item": whole, "time": [START, START + 1, START + 2]})
    frame.write_parquet(shop.folder / "log.parquet")
    shop.convert("csv", shop.folder / "log.parquet")
    assert [row["user_id"] for row in shop.rows()] == ["55", "100.50", "-20"]
    assert [row["item_id"] for row in shop.rows()] == ["100", "7", "10"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_mark_in_the_middle_is_no_part_of_an_id(shop, quote):
    part = f"\ufeff{quote}a{quote},x,{START}\nb,y,{START}\n"
    places = ("--user=1", "--item=2", "--time=3")
    shop.convert("csv", shop.write("log.csv", part + part), *places)
    assert [row["user_id"] for row in shop.rows()] == ["a", "b", "a", "b"]

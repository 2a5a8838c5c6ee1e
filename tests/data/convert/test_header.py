"""Whether the first line of a table is its header; a row is never lost."""

from pathlib import Path

import pytest

from recbole_imn.data.convert.header import has_header
from recbole_imn.errors import DataError

MAPPING = """
columns: {user_id: 1, item_id: 2, timestamp: 3}
items: {columns: {item_id: 1}, item_columns: {category: 2}}
"""


def _rows(text):
    return [line.split(",") for line in text.split()]


def _items(shop, text, **told):
    log = shop.write("log.tsv", "u\tN0\t2024-04-03\nu\tN1\t2024-04-04\n")
    mapping = MAPPING.replace(
        "items: {", f"items: {{header: {told['header']}, " if told else "items: {"
    )
    path = shop.write("places.yaml", mapping)
    return log, f"--items={shop.write('items.tsv', text)}", f"--mapping={path}"


def test_the_first_row_of_items_named_by_position_is_kept(shop):
    text = "".join(f"N{k}\tcat{k % 2}\tsub\n" for k in range(6))
    printed = shop.convert("csv", *_items(shop, text))
    assert {row["item_id"]: row["category"] for row in shop.rows("item")}["N0"] == "cat0"
    assert "the first line, 'N0,cat0,sub', was taken for a row, not a header" in printed
    shop.convert("csv", *_items(shop, "news\tcategory\tsection\n" + text), name="named")
    assert len(shop.rows("item", "named")) == 6


def test_what_may_be_a_header_or_a_row_is_asked_for(shop):
    text = "lamp\tlight\tx\ndesk\ttable\ty\n"
    line = shop.fail("csv", *_items(shop, text))
    assert "items.tsv, line 1: 'lamp,light,x' may be a header or a row" in line
    for header, n_items in (("false", 4), ("true", 3)):
        shop.convert("csv", *_items(shop, text, header=header), name=header)
        assert len(shop.rows("item", header)) == n_items


@pytest.mark.parametrize(
    "text",
    [
        "N0,news,x N1,sports,y N22,news,z",
        "lamp,light desk,table bulb,light",
        # A number that is missing is no name of numbers.
        "ab,,x1 cd,4,x2 ef,5,x3",
        "ab,NA,5 cd,4,6 ef,5,7",
        "B00A,x B01C,y B7ZZ,z",
        "1,x 2,y",
        "phone,mobile chair,table desk,table lamp,mobile",
    ],
)
def test_first_rows(text):
    assert not has_header(_rows(text), None, "auto", Path("x"), by_position=True)


def test_a_time_that_is_a_word_makes_no_header_of_a_row():
    rows = _rows("u1,i7,never u2,i8,2024-04-03 u1,i9,2024-04-04")
    assert not has_header(rows, 2, "auto", Path("x"), by_position=True)
    rows[0] = ["user", "item", "time"]
    assert has_header(rows, 2, "auto", Path("x"), by_position=True)


@pytest.mark.parametrize(
    "text",
    [
        "item,category N0,news N1,news",
        "name,kind lamp,light desk,table",
        "what,price lamp,5 desk,6",
        "movieId,x a1,b1 a2,b2",
        # Files with headers that were put together.
        "item,what N0,news item,what N1,news",
    ],
)
def test_headers(text):
    assert has_header(_rows(text), None, "auto", Path("x"), by_position=True)


def test_what_may_be_either_is_a_header_where_columns_are_found_by_name():
    rows = _rows("kunde,ware ann,lampe bob,tisch")
    assert has_header(rows, None, "auto", Path("x"))
    with pytest.raises(DataError, match="may be a header or a row"):
        has_header(rows, None, "auto", Path("x"), by_position=True)

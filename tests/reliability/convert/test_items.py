"""Tables and images of items."""

from __future__ import annotations

import numpy as np

from tests.reliability.convert.asking import NAMED, START


def test_listings_without_an_event_are_kept_and_files_are_counted_apart(shop):
    log = "".join(f"u{row},i{row % 20},{START + row}\n" for row in range(100))
    items = "".join(f"i{row},{row}.5\n" for row in range(30)) + "i0,0.5\ni1,99\n"
    printed = shop.convert(
        "csv",
        shop.write("log.csv", "u,i,t\n" + log),
        *NAMED,
        f"--items={shop.write('items.csv', 'i,price' + chr(10) + items)}",
    )
    assert [row["item_id"] for row in shop.rows("item")] == [f"i{row}" for row in range(30)]
    counts = shop.about()["counts"]
    assert (counts["rows"], counts["item_rows"], counts["items"]) == (100, 32, 30)
    assert (counts["items_without_events"], counts["repeated_item_rows"]) == (10, 1)
    assert counts["differing_item_rows"] == 1
    assert "100 rows read of log.csv" in printed
    assert "32 rows read of items.csv" in printed
    assert "10 of them have no event yet; they are kept" in printed


def test_an_item_table_full_of_bad_rows_does_not_hide_behind_a_long_log(shop):
    log = "".join(f"u{row},i,{START + row}\n" for row in range(5_000))
    items = shop.write("items.csv", "i,price\n,1\n")
    line = shop.fail("csv", shop.write("log.csv", "u,i,t\n" + log), *NAMED, f"--items={items}")
    assert "items.csv: 1 of 1 rows are bad (empty id 1)" in line


def test_columns_of_items_are_numbers_times_or_words_by_all_of_their_cells(shop):
    cells = [
        f"i{row},{row}.25,2020-01-{1 + row % 28:02d},{row},{row:05d},{2000 + row % 20},{row}"
        for row in range(2_000)
    ]
    # Later than any sample: a word among numbers, a cell without a value.
    cells[1_990] = "i1990,NULL,,1990,01990,2010,on request"
    head = "i,price,added_on,brand_id,code,year,rent"
    items = shop.write("items.csv", "\n".join([head, *cells]))
    printed = shop.convert(
        "csv", shop.write("log.csv", f"u,i,t\na,i3,{START}\n"), *NAMED, f"--items={items}"
    )
    assert shop.header("item").split("\t") == [
        "item_id:token", "price:float", "added_on:float", "brand_id:token", "code:token",
        "year:float", "rent:token",
    ]  # fmt: skip
    found = {row["item_id"]: row for row in shop.rows("item")}
    assert len(found) == 2_000
    assert found["i3"]["added_on"] == str(3 * 86_400)
    assert (found["i1990"]["price"], found["i1990"]["added_on"]) == ("", "")
    assert "rent ('on request')" in printed


def test_text_over_several_lines_is_left_out_of_the_items(shop):
    items = shop.write("items.csv", 'i,text,price\nx,"a\nb",5\ny,c,6\n')
    printed = shop.convert(
        "csv", shop.write("log.csv", "u,i,t\na,x,5\n"), *NAMED, f"--items={items}"
    )
    assert [row["price"] for row in shop.rows("item")] == ["5", "6"]
    assert "these were left out: text" in printed


def test_a_mapped_column_of_items_may_be_a_time(shop):
    mapping = "{items: {columns: {item_id: i}, item_columns: {new: {column: when, type: time}}}}"
    items = shop.write("items.csv", "i,when\nx,2020-01-02\n")
    path = shop.write("log.csv", f"u,i,t\na,x,{START}\n")
    options = (f"--items={items}", f"--mapping={shop.write('m.yaml', mapping)}")
    shop.convert("csv", path, *NAMED, *options)
    assert shop.rows("item") == [{"item_id": "x", "new": "86400"}]


def test_images_alone_are_a_catalogue_and_a_table_goes_before_them(shop):
    np.save(shop.folder / "v.npy", np.eye(3))
    shop.write("v.ids.txt", "x\ny\nz\n")
    path = shop.write("log.csv", "u,i,t\na,x,5\n")
    images = f"--images={shop.folder / 'v.npy'}"
    shop.convert("csv", path, *NAMED, images)
    assert [row["item_id"] for row in shop.rows("item")] == ["x", "y", "z"]
    items = shop.write("items.csv", "i,price\ny,5\n")
    printed = shop.convert("csv", path, *NAMED, images, f"--items={items}")
    assert [row["item_id"] for row in shop.rows("item")] == ["x", "y"]
    assert all(row["image"] for row in shop.rows("item"))
    assert "1 images left out" in printed

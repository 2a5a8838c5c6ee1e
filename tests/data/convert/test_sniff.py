"""Files that are no tables, or none with a header: one line says what they are."""

import zipfile

import pytest

FIRST_OF_STEAM = "{u'username': u'U1', u'product_id': u'7', u'text': u'" + "x" * 5000 + "'}\n"


def _packed(shop, name, part):
    with zipfile.ZipFile(shop.folder / name, "w") as archive:
        archive.writestr(part, "<x/>")
    return shop.folder / name


def test_a_workbook_is_to_be_saved_as_csv(shop):
    # By what it holds, or by its name.
    for name, part in (("shop", "xl/workbook.xml"), ("shop.XLSX", "docProps/app.xml")):
        line = shop.fail("csv", _packed(shop, name, part))
        assert line.endswith(f"{name} is a spreadsheet; save the sheet as CSV")
    assert "is a zip archive" in shop.fail("csv", _packed(shop, "shop.zip", "shop.csv"))


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
        (b"SQLite format 3", "an SQLite database; export the table as CSV"),
        (b"ARROW1", "an Arrow file; save it as parquet"),
    ],
)
def test_files_of_other_programs(shop, start, told):
    assert told in shop.fail("csv", shop.write("log", start + b"\0" * 100))


def test_literals_of_python_are_no_json(shop):
    line = shop.fail("csv", shop.write("log.json", FIRST_OF_STEAM * 3))
    assert "has literals of Python, not JSON" in line
    assert len(line) < 400


def test_a_first_line_that_is_no_header_is_told_as_such(shop):
    text = "".join(f"{k},{k + 7},pv,151223573{k}\n" for k in range(5))
    line = shop.fail("csv", shop.write("log.csv", text), "--user=user_id", "--item=b", "--time=c")
    assert "no column 'user_id'; the first line has 0, 7, pv, 1512235730; if it is no" in line
    path = shop.write("long.csv", f"{'word ' * 900},b,c\nx,y,z\n")
    for options in (("--user=u", "--item=i", "--time=t"), ()):
        line = shop.fail("csv", path, *options)
        assert "(3 in all); if it is no header, name columns by position, from 1" in line
        assert len(line) < 600
    items = shop.write("items.csv", f"{'word ' * 900},b,c\nx,y,z\n")
    log = shop.write("fine.csv", "user,item,time\na,b,2024-01-01\n")
    assert len(shop.fail("csv", log, f"--items={items}")) < 600


def test_a_log_of_jodie_is_for_its_own_source(shop):
    head = "user_id,item_id,timestamp,state_label,comma_separated_list_of_features\n"
    path = shop.write("wiki.csv", head + "0,0,0.0,0,-0.1,0.2\n0,1,36.0,0,-0.1,0.2\n")
    line = shop.fail("csv", path)
    assert (
        "the header has 5 columns and rows have 6, as logs of JODIE do; use convert jodie" in line
    )
    shop.convert("jodie", path)

"""The IJCAI-16 log, from the contest's file and from RecBole's two downloads."""

import pytest

HEADER = "user_id,seller_id,item_id,category_id,online_action_id,time_stamp\n"
GOOD = (
    "1980536,9666,1785,35,0,20151111\n"
    "1980537,9666,1785,35,1,20151111\n"
    "7,12,99,2,0,20150701\n"
    "1980536,9666,1785,35,0,20151111\n"
)
# What RecBole's tool makes of it: epoch seconds, a file an action.
RECBOLE = "user_id:token\tseller_id:token\titem_id:token\tcategory_id:token\ttimestamp:float\n"


def test_the_contest_file_becomes_a_sorted_log_with_stable_ties(shop):
    printed = shop.convert("ijcai16", shop.write("ijcai2016_taobao.csv", HEADER + GOOD))
    day = 133 * 86_400
    assert shop.header() == (
        "user_id:token\titem_id:token\ttimestamp:float\tbehavior:token\tpurchase:float"
    )
    assert [tuple(row.values()) for row in shop.rows()] == [
        ("7", "99", "0", "click", "0"),
        ("1980536", "1785", str(day), "click", "0"),
        ("1980537", "1785", str(day), "buy", "1"),
        ("1980536", "1785", str(day), "click", "0"),
    ]
    assert shop.rows("item") == [
        {"item_id": "1785", "seller_id": "9666", "category_id": "35"},
        {"item_id": "99", "seller_id": "12", "category_id": "2"},
    ]
    about = shop.about()
    assert about["origin"] == "2015-07-01T00:00:00+08:00"
    assert about["counts"]["duplicates"] == 1
    assert about["counts"]["tied_events"] == 3
    assert "1 duplicates of an earlier event, kept" in printed
    assert "events of a day keep the order of the file" in printed


def test_duplicates_can_be_merged(shop):
    path = shop.write("log.csv", HEADER + GOOD)
    assert "left out, the first kept" in shop.convert("ijcai16", path, "--duplicates=first")
    assert [row["user_id"] for row in shop.rows()] == ["7", "1980536", "1980537"]


def test_another_attribute_of_an_item_is_counted(shop):
    path = shop.write("log.csv", HEADER + GOOD + "8,9667,1785,35,0,20151112\n")
    assert "1 rows told other attributes" in shop.convert("ijcai16", path)
    assert shop.rows("item")[0]["seller_id"] == "9666"


@pytest.mark.parametrize("as_folder", [True, False])
def test_the_two_downloads_are_merged_clicks_first(shop, as_folder):
    click = RECBOLE + "1\t9\t5\t2\t1435680000\n2\t9\t5\t2\t1435766400\n"
    buy = RECBOLE + "3\t9\t6\t2\t1435680000\n"
    first = shop.write("in/tmall-click-not-merged/tmall-click-not-merged.inter", click)
    second = shop.write("in/tmall-buy-not-merged/tmall-buy-not-merged.inter", buy)
    if as_folder:
        printed = shop.convert("ijcai16", shop.folder / "in")
    else:
        printed = shop.convert("ijcai16", second, f"--input={first}")
    assert [(row["user_id"], row["timestamp"], row["behavior"]) for row in shop.rows()] == [
        ("1", "0", "click"),
        ("3", "0", "buy"),
        ("2", "86400", "click"),
    ]
    assert [row["item_id"] for row in shop.rows("item")] == ["5", "6"]
    assert shop.about()["origin"] == "2015-07-01T00:00:00+08:00"
    assert "all clicks stand before all purchases" in printed


def test_one_download_alone_is_refused(shop):
    path = shop.write("tmall-click-not-merged.inter", RECBOLE + "1\t9\t5\t2\t1435680000\n")
    assert "0 files tmall-buy*.inter among tmall-click" in shop.fail("ijcai16", path)


def test_another_header_is_shown(shop):
    line = shop.fail("ijcai16", shop.write("log.csv", "user,item\n1,2\n"))
    assert "line 1: the header is 'user,item', not 'user_id,seller_id" in line

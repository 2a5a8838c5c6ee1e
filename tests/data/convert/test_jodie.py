"""JODIE's CSV, whose header names fewer columns than its rows have."""

import pytest

HEADER = "user_id,item_id,timestamp,state_label,comma_separated_list_of_features\n"
GOOD = "0,0,0.0,0,-0.175,-0.176,-1e-3\n1,1,36.5,0,-0.17,0.2,0\n0,1,36.0,1,1,2,3\n"


def test_a_log_keeps_its_times_labels_and_features(shop):
    shop.convert("jodie", shop.write("wikipedia.csv", HEADER + GOOD))
    assert shop.header() == (
        "user_id:token\titem_id:token\ttimestamp:float\tstate_label:float\tfeatures:float_seq"
    )
    assert [tuple(row.values()) for row in shop.rows()] == [
        ("0", "0", "0.0", "0", "-0.175 -0.176 -1e-3"),
        ("0", "1", "36.0", "1", "1 2 3"),
        ("1", "1", "36.5", "0", "-0.17 0.2 0"),
    ]
    assert shop.about()["origin"] == "an unknown moment"


def test_the_label_is_a_purchase_if_asked_for(shop):
    shop.convert("jodie", shop.write("mooc.csv", HEADER + GOOD), "--label-is-purchase")
    assert [row["purchase"] for row in shop.rows()] == ["0", "1", "0"]


def test_a_log_without_features_has_no_such_column(shop):
    shop.convert("jodie", shop.write("lastfm.csv", HEADER + "0,0,1,0\n0,1,2,0\n"))
    assert "features" not in shop.header()


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("0,1,2,0,1,2", "column count"),
        ("0,1,2,0,1,2,3,4", "column count"),
        ("0,1,2,0,1,2,x", "number"),
        ("0,1,2,0,1,,3", "number"),
        ("0,1,2,0,1,nan,3", "number"),
        ("0,1,later,0,1,2,3", "time"),
        ("0,1,1e30,0,1,2,3", "time"),
        ("0,,2,0,1,2,3", "empty id"),
    ],
)
def test_bad_rows_are_named(shop, row, kind):
    shop.convert("jodie", shop.write("log.csv", f"{HEADER}{GOOD}{row}\n"), "--max-bad=0.5")
    assert shop.rejected() == [(5, kind, row)]


def test_another_table_is_refused(shop):
    assert "the header is 'a,b'" in shop.fail("jodie", shop.write("log.csv", "a,b\n1,2\n"))

"""The RetailRocket log with the history of item properties."""

HEADER = "timestamp,visitorid,event,itemid,transactionid\n"
EVENTS = (
    "1433224214164,992329,view,248676,\n"
    "1433221332117,257597,view,355908,\n"
    "1433221999827,111016,addtocart,248676,\n"
    "1433222276276,257597,transaction,355908,4000\n"
)
PROPERTIES = "timestamp,itemid,property,value\n"
FIRST_PART = (
    "1433041200000,355908,categoryid,1338\n"
    "1433041200000,355908,available,1\n"
    "1433041200000,248676,790,n552.000 639502 n720.000\n"
    "1433041200000,248676,available,0\n"
    "1433041200000,777,categoryid,5\n"
)
SECOND_PART = (
    "1433222000000,248676,available,1\n"
    "1433646000000,355908,categoryid,1400\n"
    "1433222400000,355908,available,0\n"
    "1433222500000,355908,available,0\n"
    "1433222600500,355908,available,1\n"
)


def write(shop, events=EVENTS):
    shop.write("in/events.csv", HEADER + events)
    shop.write("in/item_properties_part1.csv", PROPERTIES + FIRST_PART)
    shop.write("in/item_properties_part2.csv", PROPERTIES + SECOND_PART)
    return shop.folder / "in"


def test_events_are_sorted_with_exact_milliseconds(shop):
    shop.convert("retailrocket", write(shop))
    assert shop.about()["origin"] == "2015-06-02T00:00:00+00:00"
    assert [tuple(row.values()) for row in shop.rows()] == [
        ("257597", "355908", "18132.117", "view", "0"),
        ("111016", "248676", "18799.827", "addtocart", "0"),
        ("257597", "355908", "19076.276", "transaction", "1"),
        ("992329", "248676", "21014.164", "view", "0"),
    ]


def test_availability_becomes_stays_and_the_first_category_counts(shop):
    shop.convert("retailrocket", write(shop))
    assert shop.header("item") == (
        "item_id:token\tcategory_id:token\tlisted_at:float_seq\tdelisted_at:float_seq"
    )
    items = {row.pop("item_id"): row for row in shop.rows("item")}
    # Item 777 has no event yet, and is kept; nothing ends with the log, at 21014.164.
    assert items == {
        "355908": {
            "category_id": "1338",
            "listed_at": "0.0 19400.5",
            "delisted_at": "19200.0 inf",
        },
        "248676": {"category_id": "", "listed_at": "18800.0", "delisted_at": "inf"},
        "777": {"category_id": "5", "listed_at": "", "delisted_at": ""},
    }


def test_a_purchase_before_any_listing_is_a_bad_row(shop):
    early = EVENTS + "1433221000000,1,transaction,248676,5\n"
    printed = shop.convert("retailrocket", write(shop, early), "--max-bad=0.2")
    bad = (6, "purchase before any listing", "1433221000000,1,transaction,248676,5")
    assert shop.rejected() == [bad]
    assert "1 bad rows (purchase before any listing), the first in events.csv, line 6" in printed
    assert len(shop.rows()) == 4


def test_broken_properties_are_bad_rows_too(shop):
    folder = write(shop)
    text = PROPERTIES + SECOND_PART + "noon,1,available,1\n1433222000000,1,available,yes\n"
    shop.write("in/item_properties_part2.csv", text)
    shop.convert("retailrocket", folder, "--max-bad=0.5")
    assert [kind for _, kind, _ in shop.rejected()] == ["time", "availability"]


def test_events_alone_will_do(shop):
    printed = shop.convert("retailrocket", shop.write("alone/events.csv", HEADER + EVENTS))
    assert "no item_properties*.csv beside events.csv" in printed
    assert set(shop.files()) == {"set.inter", "set.source.json"}

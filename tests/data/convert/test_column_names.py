"""Which names of columns say that whole numbers are names."""

import pytest

from recbole_imn.data.convert.column_names import names_something, tells_time

NAMES = """
    id itemid userid productid categoryId category_id ItemID item_ids uid tid mediaid clubid jobid
    roomid bookid modelid hotelid uuid zip zipcode zip_code postcode barcode ean ean13 isbn10 upc
    sku itemsku productCode country-code product_key primarykey category subcategory
    main_category2 phone telephone
"""
NUMBERS = """
    bid highest_bid highestBid amount_paid prepaid overbid price_mean clean is_clean ocean
    guests_valid grid covid solid monkey hockey turkeys mid price hybrid is_android has_phone
    num_category n_id unzip headphone smartphone idle keyboard codec 42
"""
TIMES = """
    date saleDate sale_date time startTime createdAt created_at listed_on listedOn day sale_day
    created updated listed TIMESTAMP
"""
NO_TIMES = "at on flat_rate season listed_price created_posts birthday holiday 7"


@pytest.mark.parametrize("name", NAMES.split())
def test_names_of_names(name):
    assert names_something(name)


@pytest.mark.parametrize("name", NUMBERS.split())
def test_names_of_numbers(name):
    assert not names_something(name)


@pytest.mark.parametrize("name", TIMES.split())
def test_names_of_times(name):
    assert tells_time(name)


@pytest.mark.parametrize("name", NO_TIMES.split())
def test_names_of_no_times(name):
    assert not tells_time(name)

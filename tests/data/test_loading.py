"""Columns that are loaded."""

import pytest

from recbole_imn.errors import SettingsError

LOG = ["user_id", "item_id", "timestamp"]


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_a_column_that_is_nearly_one_of_the_log_is_a_slip(prepare, model):
    with pytest.raises(SettingsError, match=r"'purchse', which \.inter does not.*mean purchase\?"):
        prepare(model, load_col={"inter": [*LOG, "behavior", "purchse"]})


def test_settings_may_name_more_columns_than_a_log_has(prepare):
    _, dataset, *_ = prepare("IMNNet", load_col={"inter": [*LOG, "behavior", "purchase", "colour"]})
    assert dataset.log.purchase.any()


def test_a_name_beside_the_column_that_it_is_like_is_no_slip(prepare):
    _, dataset, *_ = prepare("IMNNet", load_col={"inter": [*LOG, "purchase", "purchases"]})
    assert dataset.log.purchase.any()

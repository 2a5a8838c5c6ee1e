"""Filters by numbers of events leave what RecBole's leave."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recbole.data.dataset import Dataset

from recbole_imn.data.dataset import StreamDataset
from recbole_imn.data.filters import Filtered, is_chosen

INTERVALS = st.sampled_from(
    ["[0,inf)", "[2,inf)", "(2,inf)", "[1,4]", "[3,5);[7,inf)", "(0,3]", None]
)


class Log(Filtered, Dataset):
    """A data set with a log of its own, of which nothing was loaded."""

    def __init__(self, seed, users, items, attributes):
        rng = np.random.default_rng(seed)
        n = 40
        self.uid_field, self.iid_field = "user_id", "item_id"
        self.config = {"user_inter_num_interval": users, "item_inter_num_interval": items}
        self.logger = SimpleNamespace(debug=print, warning=print)
        self.inter_feat = pd.DataFrame(
            {
                "user_id": [f"u{k}" for k in rng.geometric(0.2, n)],
                "item_id": [f"i{k}" for k in rng.geometric(0.2, n)],
            }
        )
        described = {
            "user": pd.DataFrame({"user_id": [f"u{k}" for k in range(15)]}),
            "item": pd.DataFrame({"item_id": [f"i{k}" for k in range(15)]}),
        }
        self.user_feat, self.item_feat = (
            described[kind] if kind in attributes else None for kind in ("user", "item")
        )


@pytest.mark.parametrize("attributes", [(), ("user", "item"), ("item",)])
@given(st.integers(0, 10_000), INTERVALS, INTERVALS)
def test_what_is_left_is_what_recbole_leaves(attributes, seed, users, items):
    ours, theirs = (Log(seed, users, items, attributes) for _ in range(2))
    ours._filter_by_inter_num()
    # RecBole cannot do with one interval alone.
    theirs.config = {key: value or "[0,inf)" for key, value in theirs.config.items()}
    Dataset._filter_by_inter_num(theirs)
    for name in ("inter_feat", "user_feat", "item_feat"):
        one, other = getattr(ours, name), getattr(theirs, name)
        if other is None:
            assert one is None
        else:
            pd.testing.assert_frame_equal(one, other)


def test_samples_of_users_lie_in_each_other_and_have_the_share_asked_for():
    users = [f"u{k}" for k in range(4000)]
    samples = [
        {user for user in users if is_chosen(user, share)} for share in (0.05, 0.1, 0.5, 1.0)
    ]
    for smaller, larger in pairwise(samples):
        assert smaller < larger
    for sample, share in zip(samples, (0.05, 0.1, 0.5, 1.0), strict=True):
        # Four standard deviations of a draw of so many.
        assert abs(len(sample) - 4000 * share) <= 4 * (4000 * share * (1 - share)) ** 0.5


def test_a_data_set_keeps_the_events_of_a_share_of_its_users(make_config):
    whole = StreamDataset(make_config("SASRec"))
    part = StreamDataset(make_config("SASRec", user_share=0.5))
    kept = {user for user in whole.field2token_id["user_id"] if is_chosen(user, 0.5)} - {"[PAD]"}
    assert set(part.field2token_id["user_id"]) - {"[PAD]"} == kept
    users = whole.id2token("user_id", whole.inter_feat["user_id"].to_numpy())
    assert len(part.inter_feat) == sum(user in kept for user in users)
    assert 0 < len(part.inter_feat) < len(whole.inter_feat)

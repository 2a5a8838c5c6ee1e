"""Settings are not used on test rows that the search for them ranked."""

import pytest

from recbole_imn.data.dataset import StreamDataset
from recbole_imn.data.searched import validation_ends
from recbole_imn.errors import SettingsError

CUT = {"order": "TO", "group_by": "none", "mode": "full"}
LAST_OUT = {"eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user"}}


def cut(*shares):
    return {"eval_args": {**CUT, "split": {"RS": list(shares)}}}


@pytest.fixture
def build(make_config):
    """Give a function that reads the toy log and cuts it."""

    def make(**options):
        dataset = StreamDataset(make_config("SASRec", **options))
        dataset.build()
        return dataset

    return make


@pytest.fixture
def ends(build):
    """Where the validation of a search with the usual cut ends."""
    return validation_ends(build())


def test_a_search_looks_as_far_as_its_last_validation_event(build, ends):
    dataset = build()
    assert ends == dataset.log.time[dataset.event_bounds[2] - 1]
    # What an excerpt for tuning keeps ends there.
    assert validation_ends(build(tuning_events=100, tuning_rows=10)) == ends
    assert validation_ends(build(**LAST_OUT)) is None


@pytest.mark.parametrize(
    "options",
    [
        cut(0.7, 0.15, 0.15),
        {"split_by": "times", **cut(0.7, 0.15, 0.15)},
        LAST_OUT,
        {"user_share": 0.5, **cut(0.6, 0.1, 0.3)},
        {"eval_rows": 20, **cut(0.6, 0.1, 0.3)},
        {"val_interval": {"timestamp": "[0,40000)"}},
    ],
)
def test_test_rows_that_the_search_ranked_are_refused(build, ends, options):
    build(**options)
    with pytest.raises(SettingsError, match=r"test rows come before \d+, where the validation"):
        build(**options, tuning={"validation_ends": ends})


@pytest.mark.parametrize("options", [{}, cut(0.8, 0.1, 0.1), cut(0.7, 0.25, 0.05)])
def test_later_test_rows_are_let_pass(build, ends, options):
    build(**options, tuning={"validation_ends": ends})
    build(**cut(0.5, 0.1, 0.4), tuning={"validation_ends": None, "minutes": 10})
    build(**cut(0.5, 0.1, 0.4), tuning={"minutes": 10})

"""IMNNetLiteral against the paper's equations, event by event."""

import pytest
import torch

from recbole_imn.model.settings import NetworkSettings
from tests.model.literal import COMMON, OWN, SMALL, make, measured, with_weights_of
from tests.model.paper import Paper

# These tell how training begins, or what a validation searches for; see the last tests.
NOT_IN_A_WINDOW = {"context_start", "search_ranking_weights", "ranking_scale"}
FLIPPED = sorted(key for key in OWN if OWN[key] != COMMON[key] and key not in NOT_IN_A_WINDOW)


pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.fixture(scope="module")
def literal(double_precision):
    """The literal network, what it says of the window, its negatives, and what the paper says."""
    network, past = make()
    found, negatives = measured(network, past)
    return network, found, negatives, Paper(network, past.log).result(negatives)


# -- tests ----------------------------------------------------------------------------------


def differing(found, expected):
    """Names of what is not the same."""
    return {
        name
        for name in found.keys() | expected.keys()
        if name not in found
        or name not in expected
        or found[name].shape != expected[name].shape
        or not torch.allclose(found[name], expected[name], atol=1e-9, rtol=1e-9)
    }


def test_the_literal_form_is_what_the_paper_prints(literal):
    _, found, negatives, expected = literal
    assert set(map(len, negatives.values())) == {SMALL["n_negatives"]}
    assert len(set(map(tuple, negatives.values()))) > 1
    assert len(expected["limited states"]) > 2
    assert differing(found, expected) == set()
    for name, value in expected.items():
        assert value.abs().max() > 1e-3, name


# What a flip of a setting must move, at the least.
MOVES = {
    "biases": "user states",
    "conditioning": "predictions",
    "detached_targets": "gradient of statics.item.table.weight",
    "distance": "ranking",
    "elapsed_origin": "user states",
    "elapsed_scale": "user states",
    "event_input": "item states",
    "item_drift_weight": "loss",
    "learned_temperature": "gradient of maps.log_temperature",
    "negatives": "loss",
    "positive_state": "ratios",
    "prediction_target": "predictions",
    "purchase_reach": "gradient of branch.transition",
    "ranking_mse_weight": "ranking",
    "ranking_nce_weight": "ranking",
    "shared_projection": "predictions",
    "static_geometry": "ranking",
    "temperature": "loss",
    "user_drift_weight": "loss",
}


@pytest.mark.parametrize("setting", FLIPPED)
def test_no_setting_can_be_flipped_unseen(literal, setting):
    network, _, _, expected = literal
    flipped, past = make(**{setting: COMMON[setting]})
    found, _ = measured(with_weights_of(flipped, network), past)
    assert MOVES[setting] in differing(found, expected)


def test_every_setting_that_differs_is_flipped():
    assert set(FLIPPED) == set(MOVES)


def test_the_published_weights_rank_and_nothing_is_searched_for():
    settings = NetworkSettings(**{**COMMON, **OWN})
    assert (settings.ranking_mse_weight, settings.ranking_nce_weight) == (0.9, 0.1)
    assert not settings.searches_ranking
    assert NetworkSettings(**COMMON).searches_ranking
    assert settings.user_drift_weight > 0 < settings.item_drift_weight

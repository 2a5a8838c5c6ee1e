"""Options are checked once, with the value in the message."""

import pytest

from recbole_imn.model.settings import NetworkSettings, SettingsError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resource_branch": "half"}, "resource_branch is 'half'; it must be one of"),
        ({"embedding_size": 0}, "embedding_size is 0; it must be above 0"),
        ({"nce_weight": -1.0}, "nce_weight is -1.0; it must be 0 or above"),
        ({"mse_weight": 0.0, "nce_weight": 0.0}, "there is nothing to learn"),
        ({"pointer": True}, "search_ranking_weights is True, but with pointer"),
        ({"freshness": True}, "search_ranking_weights is True, but with pointer or freshness"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(SettingsError, match=message):
        NetworkSettings(**options)


def test_options_are_taken_out_of_a_larger_mapping():
    settings = NetworkSettings.from_mapping({"embedding_size": 16, "topk": [10]})
    assert settings.embedding_size == 16
    assert settings.n_negatives == 127

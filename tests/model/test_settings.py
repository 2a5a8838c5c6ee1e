"""Options are checked once, with the value in the message."""

import pytest

from recbole_imn.errors import SettingsError
from recbole_imn.model.settings import NetworkSettings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "half"}, "cell is 'half'; it must be one of"),
        ({"resource_branch": ""}, "resource_branch is ''"),
        ({"purchase_reach": -1}, "purchase_reach is -1; it must be 0 or above"),
        ({"id_dropout": 1.0, "unseen_ids": "learned"}, "id_dropout is 1.0; it must be below 1"),
        ({"unseen_ids": "new"}, "unseen_ids is 'new'; it must be one of"),
        ({"embedding_size": 0}, "embedding_size is 0; it must be above 0"),
        ({"nce_weight": -1.0}, "nce_weight is -1.0; it must be 0 or above"),
        ({"mse_weight": 0.0, "nce_weight": 0.0}, "there is nothing to learn"),
        ({"sources": ["own_items"]}, "search_ranking_weights is True, but with terms or sources"),
        ({"terms": ["freshness"]}, "search_ranking_weights is True, but with terms or sources"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(SettingsError, match=message):
        NetworkSettings(**options)


def test_options_are_taken_out_of_a_larger_mapping():
    settings = NetworkSettings.from_mapping({"embedding_size": 16, "topk": [10]})
    assert settings.embedding_size == 16
    assert settings.n_negatives == 127

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
        (
            {"terms": ["freshness"], "search_ranking_weights": False},
            "ranking_mse_weight is 0.5 and ranking_nce_weight 0.5, but terms and sources",
        ),
        ({"terms": ["taste"], "nce_weight": 0.0}, r"terms is \['taste'\], but nce_weight is 0"),
        ({"sources": ["own_items"], "nce_weight": 0.0}, "which learns nothing"),
        ({"attended_events": 3, "nce_weight": 0.0}, "attended_events is 3, but nce_weight is 0"),
        (
            {"mse_weight": 0.0, "ranking_nce_weight": 0.0},
            "ranking_nce_weight is 0, but nothing else is learned; set it to 1",
        ),
        (
            {"nce_weight": 0.0, "ranking_mse_weight": 0.0},
            "ranking_mse_weight is 0, but nothing else is learned; set it to 1",
        ),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(SettingsError, match=message):
        NetworkSettings(**options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (0.5, 0.5)),
        ({"mse_weight": 0.0}, (0.0, 0.5)),
        ({"nce_weight": 0.0}, (0.5, 0.0)),
        # Its prediction is learned by the density ratio.
        ({"mse_weight": 0.0, "shared_map": True}, (0.5, 0.5)),
    ],
)
def test_nothing_is_ranked_by_what_is_not_learned(options, expected):
    assert NetworkSettings(**options).ranking_weights == expected


def test_options_are_taken_out_of_a_larger_mapping():
    settings = NetworkSettings.from_mapping({"embedding_size": 16, "topk": [10]})
    assert settings.embedding_size == 16
    assert settings.n_negatives == 127

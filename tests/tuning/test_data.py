"""Trials that share a data set have the bits of trials that read it themselves."""

import pytest

from recbole_imn.preparation import prepare
from recbole_imn.tuning.data import StudyData, read_from_data
from recbole_imn.tuning.objective import TrialRequest

SETTINGS = "use_gpu: False\nembedding_size: 8\nhidden_size: 8\ninner_size: 8\ntopk: [5]\n"


@pytest.fixture
def make_request(toy):
    """Give a function that makes requests for the toy log."""
    (toy / "fixed.yaml").write_text(SETTINGS + "valid_metric: NDCG@5\ntrain_batch_size: 32\n")

    def make(model, **options):
        return TrialRequest(model, "toy", str(toy), ("fixed.yaml",), 2, 1, **options)

    return make


def fitted(config, dataset=None):
    _, (train, valid, _), trainer = prepare(config, dataset)
    score, _ = trainer.fit(train, valid, verbose=False, saved=False)
    weights = {name: value.tolist() for name, value in trainer.model.state_dict().items()}
    return score, weights


@pytest.mark.parametrize("model", ["IMNNetPlus", "FPMC", "SASRec"])
def test_a_shared_data_set_changes_no_bit(make_request, model):
    request, data = make_request(model), StudyData()
    for values in ({"learning_rate": 0.01}, {"learning_rate": 0.001}):
        config = request.config(values)
        shared = fitted(config, data.read(config, values))
        assert shared == fitted(request.config(values))


def test_it_is_read_again_only_where_a_trial_changes_it(make_request):
    request, data = make_request("SASRec"), StudyData()
    seen = [
        data.read(request.config(values), values)
        for values in (
            {"hidden_size": 8},
            {"hidden_size": 16},
            {"MAX_ITEM_LIST_LENGTH": 3},
            {"MAX_ITEM_LIST_LENGTH": 3, "hidden_size": 8},
        )
    ]
    assert seen[0] is seen[1]
    assert seen[2] is seen[3]
    assert seen[1] is not seen[2]
    assert seen[2].build()[0][0:1]["item_id_list"].shape[1] == 3
    assert {"item_features", "eval_args", "first_events"} <= read_from_data()
    assert not {"learning_rate", "embedding_size", "sources"} & read_from_data()

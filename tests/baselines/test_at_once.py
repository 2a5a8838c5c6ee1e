"""Training in one go."""

import pytest
from recbole.utils import get_trainer

from recbole_imn.errors import SettingsError


@pytest.mark.parametrize("name", ["RecentHistory", "SessionKNN", "LocalGlobal"])
def test_there_is_one_epoch_whatever_is_asked_for(prepare, name):
    config, _, (train, valid, _), model = prepare(name, epochs=20)
    trainer, seen = get_trainer(config["MODEL_TYPE"], name)(config, model), []
    trainer.fit(train, valid, saved=False, callback_fn=lambda epoch, score: seen.append(epoch))
    assert seen == [0]


@pytest.mark.parametrize("name", ["RecentHistory", "LocalGlobal"])
@pytest.mark.parametrize(("eval_step", "times"), [(0, 0), (1, 1), (3, 1)])
def test_its_epoch_is_validated_however_seldom_others_are(prepare, name, eval_step, times):
    options = {"epochs": 20, "eval_step": eval_step}
    config, _, (train, valid, test), model = prepare(name, **options)
    trainer, seen = get_trainer(config["MODEL_TYPE"], name)(config, model), []
    trainer.fit(train, valid, callback_fn=lambda epoch, score: seen.append(epoch))
    assert len(seen) == times
    assert trainer.evaluate(test)["ndcg@5"] > 0


def test_a_metric_that_nothing_can_be_chosen_by_is_refused(prepare):
    config, _, _, model = prepare("LocalGlobal", valid_metric="GAUC")
    with pytest.raises(SettingsError, match="valid_metric is 'GAUC'"):
        get_trainer(config["MODEL_TYPE"], "LocalGlobal")(config, model)

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


def test_a_metric_that_nothing_can_be_chosen_by_is_refused(prepare):
    config, _, _, model = prepare("LocalGlobal", valid_metric="GAUC")
    with pytest.raises(SettingsError, match="valid_metric is 'GAUC'"):
        get_trainer(config["MODEL_TYPE"], "LocalGlobal")(config, model)

"""Search spaces of all models."""

import optuna
import pytest

from recbole_imn import registry
from recbole_imn.model.settings import SettingsError
from recbole_imn.options import known_keys
from recbole_imn.tuning.space import SEARCH, Choices, Range, read_space, space_file, suggest

FILES = sorted(SEARCH.glob("*.yaml"))
NOTHING_TO_LEARN = ("LastItem", "Popularity", "RecentHistory")
# Learn nothing, or without a step size.
NO_STEPS = ("SessionKNN", "LocalGlobal", "LambdaRank")
STAND_INS = {"general": "SASRec"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_space_names_settings_that_its_model_knows(file):
    space = read_space(file)
    model = STAND_INS.get(file.stem, file.stem)
    assert ("learning_rate" in space) == (model not in NO_STEPS)
    assert space.keys() <= known_keys(model, "toy")


@pytest.mark.parametrize("model", sorted(set(registry.MODELS) - set(NOTHING_TO_LEARN)))
def test_every_model_with_something_to_choose_has_its_own_space(model):
    assert space_file(model).stem == model


def test_other_models_share_a_general_space():
    assert space_file("NARM").stem == "general"


@pytest.mark.parametrize("model", NOTHING_TO_LEARN)
def test_a_model_that_learns_nothing_is_refused(model):
    with pytest.raises(SettingsError, match=f"{model} learns nothing"):
        space_file(model)


def test_a_space_is_read_and_asked(tmp_path):
    file = tmp_path / "space.yaml"
    file.write_text("a: {choices: [1, x]}\nb: {low: 1, high: 3}\nc: {low: 0.1, high: 1, log: true}")
    space = read_space(file)
    assert space == {"a": Choices((1, "x")), "b": Range(1, 3, False), "c": Range(0.1, 1, True)}
    values = {"a": "x", "b": 2, "c": 0.5}
    trial = optuna.trial.FixedTrial(values)
    assert suggest(space, trial) == values
    assert isinstance(trial.distributions["b"], optuna.distributions.IntDistribution)
    assert trial.distributions["c"] == optuna.distributions.FloatDistribution(0.1, 1.0, log=True)


@pytest.mark.parametrize(
    "entry",
    [
        "5",
        "{choices: []}",
        "{choices: [[1, 2]]}",
        "{low: 1}",
        "{low: 2, high: 1}",
        "{low: 0, high: 1, log: true}",
        "{low: a, high: b}",
        "{low: 0, high: 1, step: 2}",
    ],
)
def test_a_bad_entry_is_refused_with_its_name(tmp_path, entry):
    file = tmp_path / "space.yaml"
    file.write_text(f"learning_rate: {entry}\n")
    with pytest.raises(SettingsError, match=r"space\.yaml: learning_rate is .*; it must be"):
        read_space(file)

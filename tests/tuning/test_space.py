"""Search spaces of all models."""

import optuna
import pytest

from recbole_imn import registry
from recbole_imn.errors import SettingsError
from recbole_imn.settings_files import known_keys
from recbole_imn.tuning.space import (
    SEARCH,
    Choices,
    Range,
    can_be_tuned,
    decoded,
    encoded,
    inside,
    read_space,
    space_file,
    suggest,
)

FILES = sorted(SEARCH.glob("*.yaml"))
NOTHING_TO_LEARN = ("LastItem", "Popularity", "RecentHistory")
# Learn nothing, or without a step size.
NO_STEPS = ("SessionKNN", "LocalGlobal", "LambdaRank")
STAND_INS = {"general": "SASRec"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_space_names_settings_that_its_model_knows(file):
    space = read_space(file)
    model = STAND_INS.get(file.stem, file.stem)
    assert space
    assert ("learning_rate" in space) == (model not in NO_STEPS)
    assert space.keys() <= known_keys(model, "toy")


@pytest.mark.parametrize("model", ["SASRec", "IMNNetPlus", "IMNNetLiteral", "SessionKNN", "JODIE"])
def test_every_choice_can_be_made(make_config, model):
    """Each choice beside the defaults of the others; combinations fail in their own trial."""
    for name, one in read_space(space_file(model)).items():
        values = one.values if isinstance(one, Choices) else (one.low, one.high)
        for value in values:
            assert make_config(model, **{name: value})[name] == value


@pytest.mark.parametrize("model", sorted(set(registry.MODELS) - set(NOTHING_TO_LEARN)))
def test_every_model_with_something_to_choose_has_its_own_space(model):
    assert space_file(model).stem == model


def test_other_models_share_a_general_space():
    assert space_file("NARM").stem == "general"


@pytest.mark.parametrize("model", NOTHING_TO_LEARN)
def test_a_model_that_learns_nothing_is_refused(model):
    assert not can_be_tuned(model)
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


def test_lists_are_choices_that_a_file_can_hold(tmp_path):
    file = tmp_path / "space.yaml"
    file.write_text("terms: {choices: [[freshness, taste], [], x]}\n")
    space = read_space(file)
    trial = optuna.trial.FixedTrial(encoded(space, {"terms": ["freshness", "taste"]}))
    assert suggest(space, trial) == {"terms": ["freshness", "taste"]}
    for value in (["freshness", "taste"], [], "x"):
        assert decoded(space, encoded(space, {"terms": value})) == {"terms": value}


def test_defaults_beyond_the_space_are_known():
    space = {"a": Range(1, 3, False), "b": Range(0.5, 2.0, False), "c": Choices((1, "x", ["y"]))}
    defaults = {"a": 4, "b": 1, "c": ["y"], "d": 5}
    assert inside(space, defaults) == {"b": space["b"], "c": space["c"]}
    assert inside(space, {"a": 2.0, "b": True, "c": True}) == {}
    assert inside(space, {"a": None, "c": ["z"]}) == {}


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

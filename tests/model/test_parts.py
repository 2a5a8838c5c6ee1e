"""Parts by name: those of the package, those of one's own, and what is neither."""

import sys

import numpy as np
import pytest
from recbole.config import Config

from recbole_imn.checkpoints import load_data_and_model
from recbole_imn.command_line import main
from recbole_imn.errors import CheckpointError, SettingsError
from recbole_imn.model.branch import BRANCHES, Branch, FullBranch
from recbole_imn.model.build import find_parts
from recbole_imn.model.fusion import FUSIONS, Sum
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources import SOURCES, OwnItems, Source, Successors
from recbole_imn.model.terms import TERMS, Freshness, Taste
from recbole_imn.options import check
from tests.registered import forgotten_afterwards

OWN = """
import numpy as np
from recbole_imn.model.fusion import Sum
from recbole_imn.model.sources import Source
from recbole_imn.model.terms import CellTerm, ProductTerm
from recbole_imn.model.terms import Freshness

class Latest(Source):
    n_slots = 2

    def find(self, past, facts):
        latest = facts.position[:, None] - [1, 2]
        return np.maximum(latest, -1)

class Prophet(Source):
    n_slots = 1

    def find(self, past, facts):
        return facts.position[:, None]

class Fresher(Freshness):
    pass

class Total(Sum):
    pass

class Nothing:
    pass

number = 3
"""
RANKED = {
    "search_ranking_weights": False,
    "ranking_mse_weight": 0.0,
    "ranking_nce_weight": 1.0,
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module with classes of one's own, that nobody has imported."""
    (tmp_path / "own_parts.py").write_text(OWN)
    (tmp_path / "broken_parts.py").write_text("raise RuntimeError('no parts\\ntoday')")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "own_parts"
    sys.modules.pop("own_parts", None)


@pytest.mark.parametrize(
    ("key", "known", "base"),
    [
        ("resource_branch", BRANCHES, Branch),
        ("fusion", FUSIONS, None),
        ("sources", SOURCES, Source),
    ],
)
def test_every_part_of_the_package_is_found(key, known, base):
    for name, kind in known.items():
        listed = {"sources": [name], **RANKED} if key == "sources" else {key: name}
        parts = find_parts(NetworkSettings(**listed))
        assert kind in (parts.branch, parts.fusion, *parts.sources.values())
        assert base is None or issubclass(kind, base)


def test_terms_are_found_in_their_order():
    for names in (["freshness", "taste"], ["taste", "freshness"]):
        found = find_parts(NetworkSettings(terms=names, **RANKED)).terms
        assert list(found.items()) == [(name, TERMS[name]) for name in names]


def test_classes_of_ones_own_are_imported(own):
    settings = NetworkSettings(
        terms=["own_parts.Fresher", "taste"],
        sources=["own_parts.Latest", "own_items"],
        fusion="own_parts.Total",
        resource_branch="recbole_imn.model.branch.FullBranch",
        **RANKED,
    )
    parts = find_parts(settings)
    module = sys.modules[own]
    assert parts.terms == {"own_parts.Fresher": module.Fresher, "taste": Taste}
    assert list(parts.sources.values()) == [module.Latest, OwnItems]
    assert issubclass(module.Fresher, Freshness)
    assert issubclass(parts.fusion, Sum)
    assert parts.branch is FullBranch


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resource_branch": "half"}, "one of simplified, full, none, or a class of your own"),
        ({"resource_branch": "simple"}, "did you mean simplified"),
        ({"resource_branch": "non"}, "did you mean none"),
        ({"resource_branch": None}, "resource_branch is None; it must be text"),
        ({"fusion": "concatenate"}, "fusion names 'concatenate'.*did you mean concat"),
        ({"fusion": "own_parts.Totl"}, "own_parts has no Totl; did you mean Total"),
        ({"terms": ["fresness"]}, "terms names 'fresness'.*did you mean freshness"),
        (
            {"terms": ["own_items"]},
            "it must be one of freshness, taste, holdings, or a class of your own",
        ),
        ({"terms": ["taste", "taste"]}, "it names taste twice"),
        ({"terms": [5]}, r"terms\[0\] is 5; it must be text"),
        ({"terms": 5}, "terms is 5; it must be a list"),
        ({"terms": ["taste", ""]}, r"terms\[1\] is ''; it must be text that is not empty"),
        ({"terms": ["freshness", "own_parts.Fresher"]}, "there can be one"),
        ({"terms": ["own_parts.Latest"]}, "which is no class derived from .*terms.base.Term"),
        ({"sources": ["successor"]}, "did you mean successors"),
        ({"sources": ["own_parts.Nothing"]}, "no class derived from .*sources.base.Source"),
        ({"sources": ["own_parts.number"]}, "no class derived from"),
        ({"sources": ["own_parts.Source"]}, "no class derived from"),
        ({"sources": ["no_parts.Latest"]}, "no_parts cannot be imported .ModuleNotFoundError"),
        ({"sources": ["broken_parts.Latest"]}, "cannot be imported .RuntimeError: no parts today"),
        ({"sources": [".Latest"]}, "sources names '.Latest'"),
        ({"sources": ["own_parts."]}, "own_parts has no"),
    ],
)
def test_what_is_no_part_is_one_line_in_a_config(make_config, own, settings, message):
    with pytest.raises(SettingsError, match=message) as error:
        make_config("IMNNetPlus", **settings)
    assert "\n" not in str(error.value)


def test_a_name_stands_for_a_list_of_it_and_text_for_a_list():
    for given in ("freshness", "[freshness]", ["freshness"], " [ freshness,] "):
        assert NetworkSettings(terms=given, **RANKED).terms == ["freshness"]
    text = "[own_items, successors]"
    assert NetworkSettings(sources=text, **RANKED).sources == ["own_items", "successors"]


def test_lists_come_from_yaml_and_from_the_command_line(toy, monkeypatch):
    (toy / "mine.yaml").write_text("terms: [freshness]\nsources: [successors]\n")
    values = {"data_path": "."}
    files = ["mine.yaml"]
    config = Config("IMNNetPlus", "toy", config_file_list=files, config_dict=values)
    parts = find_parts(NetworkSettings.from_mapping(config.final_config_dict))
    assert (list(parts.terms.values()), list(parts.sources.values())) == ([Freshness], [Successors])
    given = ["--terms=[taste,freshness]", "--sources=[]", "--calibrate=False"]
    monkeypatch.setattr(sys, "argv", ["test", *given])
    config = Config("IMNNetPlus", "toy", config_file_list=files, config_dict=values)
    parts = find_parts(NetworkSettings.from_mapping(config.final_config_dict))
    assert (list(parts.terms.values()), list(parts.sources.values())) == ([Taste, Freshness], [])


@pytest.mark.parametrize(
    ("key", "now"),
    [
        ("pointer", r"sources: \[own_items, successors, predecessors\]"),
        ("freshness", r"terms: \[freshness\]"),
        ("taste", r"terms: \[taste\]"),
    ],
)
def test_removed_settings_say_what_to_write_now(toy, make_config, key, now):
    told = f"'?{key}'?, which is no setting any more; write {now}"
    with pytest.raises(SettingsError, match=told):
        make_config("IMNNetPlus", **{key: True})
    (toy / "old.yaml").write_text(f"{key}: False\n")
    with pytest.raises(SettingsError, match=told):
        check(["--model=IMNNetPlus", "--dataset=toy", "--data_path=.", "--config_files=old.yaml"])
    with pytest.raises(ValueError, match=told):
        check(["--model=IMNNetPlus", "--dataset=toy", "--data_path=.", f"--{key}=True"])


def test_a_class_of_ones_own_refuses_them_as_well(make_config):
    from recbole_imn.model.plus import IMNNetPlus

    class Mine(IMNNetPlus):
        """Whose other settings may be its own."""

    with forgotten_afterwards(), pytest.raises(SettingsError, match="no setting any more"):
        make_config(Mine, pointer=False, of_mine=1)


def test_a_wrong_name_is_one_line_of_the_command(toy, capsys):
    options = ["--model=IMNNetPlus", "--dataset=toy", "--data_path=.", "--sources=[succesors]"]
    assert main(options) == 2
    assert "did you mean successors?" in capsys.readouterr().err


def test_a_source_of_ones_own_proposes(prepare, own):
    _, _, _, model = prepare("IMNNetPlus", sources=["own_parts.Latest"], terms=[])
    session = model.session
    session.past.move_to(50)
    facts = session.past.look_at_events(np.array([0, 1, 30]))
    pointed = model.network.pointer.look(session.past, facts)
    item = session.past.log.item
    assert pointed.items.tolist() == [[0, 0], [item[0], 0], [item[29], item[28]]]
    assert (pointed.numbers[0] == 0).all()
    assert (pointed.numbers[2] != 0).any(dim=1).all()


def test_a_source_that_looks_ahead_is_refused(prepare, own):
    _, _, _, model = prepare("IMNNetPlus", sources=["own_parts.Prophet"], terms=[])
    past = model.session.past
    past.move_to(50)
    facts = past.look_at_events(np.arange(3))
    with pytest.raises(ValueError, match="Prophet points to events at or behind"):
        model.network.pointer.look(past, facts)


def test_nothing_is_imported_for_a_checkpoint(prepare, own, tmp_path):
    from recbole.utils import get_trainer

    config, _, loaders, model = prepare(
        "IMNNetPlus", sources=["own_parts.Latest"], terms=[], checkpoint_dir=str(tmp_path)
    )
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    trainer.fit(loaders[0], loaders[1], show_progress=False)
    assert load_data_and_model(trainer.saved_model_file)
    del sys.modules[own]
    with pytest.raises(CheckpointError, match="but own_parts is not imported"):
        load_data_and_model(trainer.saved_model_file)
    assert own not in sys.modules


def test_a_source_without_any_row_cannot_stand_alone(prepare):
    with pytest.raises(
        SettingsError, match="first_choices alone, which has no candidates"
    ) as error:
        prepare("IMNNetPlus", sources=["first_choices"])
    assert "\n" not in str(error.value)

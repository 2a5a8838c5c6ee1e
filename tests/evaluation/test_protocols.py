"""What a protocol sets, refuses and counts."""

import numpy as np
import pytest
from recbole.config import Config

from recbole_imn import command_line
from recbole_imn.errors import SettingsError
from recbole_imn.evaluation.protocols import (
    PROTOCOLS,
    STANDARD,
    TGB,
    can_be_asked,
    protocol_of,
    put_in_place,
)
from recbole_imn.preparation import make_model

SMALL = {"use_gpu": False, "show_progress": False, "embedding_size": 8, "topk": [5]}


@pytest.fixture
def make(toy):
    """Give a function that makes a Config with what is asked for, and little else."""

    def config(model="IMNNet", **options):
        given = {"data_path": str(toy), **SMALL, **options}
        return Config(model=model, dataset="toy", config_dict=given)

    return config


def test_every_protocol_is_found_by_its_name():
    for name, protocol in PROTOCOLS.items():
        assert protocol.name == name
        assert protocol_of({"protocol": name}) == protocol
    assert protocol_of({}) == STANDARD


@pytest.mark.parametrize("name", ["TGB", "", None, ["tgb"], 7])
def test_other_names_are_refused(name):
    with pytest.raises(SettingsError, match="it must be one of standard, tgb"):
        protocol_of({"protocol": name})


def test_a_protocol_sets_all_that_it_fixes(make):
    config = make(protocol="tgb")
    assert config["eval_args"]["split"] == {"RS": [0.7, 0.15, 0.15]}
    assert config["first_events"] is True
    assert config["split_by"] == "times"
    assert config["valid_metric"] == "FullMRR"
    assert make()["valid_metric"] == "NDCG@10"
    # Nobody can change what all runs share.
    assert TGB.settings["eval_args"]["mode"] == "full"


@pytest.mark.parametrize(
    "given",
    [
        {"first_events": True, "candidates": "all"},
        {"eval_args": {"mode": "full"}},
        {"eval_args": {"mode": {"valid": "full", "test": "full"}, "group_by": None}},
        {"eval_args": {"split": {"RS": [0.7, 0.15, 0.15]}}},
    ],
)
def test_what_says_the_same_is_no_contradiction(make, given):
    assert make(protocol="tgb", **given)["eval_args"]["split"] == {"RS": [0.7, 0.15, 0.15]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("first_events", False),
        ("first_events", 1),
        ("candidates", "on_shelf"),
        ("split_by", "events"),
        ("valid_metric", "NDCG@5"),
        ("metrics", ["NDCG"]),
        # What the data set would be cut by without a protocol is one all the same.
        ("eval_args", {"split": {"RS": [0.8, 0.1, 0.1]}}),
        ("eval_args", {"mode": {"valid": "uni5", "test": "full"}}),
        ("eval_args", {"split": {"LS": "valid_and_test"}}),
        ("eval_args", 7),
    ],
)
def test_contradictions_are_one_line(make, key, value):
    with pytest.raises(SettingsError, match=f"^protocol tgb sets {key} to .*leave one") as error:
        make(protocol="tgb", **{key: value})
    assert "\n" not in str(error.value)


def test_models_that_need_a_history_are_refused(make):
    assert can_be_asked(TGB, "Popularity")
    assert not can_be_asked(TGB, "SASRec")
    with pytest.raises(SettingsError, match="SASRec cannot score a user without a history"):
        make("SASRec", event_stream=True, protocol="tgb")


def test_the_standard_protocol_changes_nothing():
    settings = {"protocol": "standard", "valid_metric": "NDCG@10"}
    before = dict(settings)
    put_in_place(settings, {"first_events": False}, "SASRec")
    assert settings == before


def test_times_need_one_cut_for_all_users(make):
    with pytest.raises(SettingsError, match="split_by is 'times'"):
        make(
            "SASRec",
            event_stream=True,
            split_by="times",
            valid_metric="NDCG@5",
            eval_args={"split": {"LS": "valid_and_test"}},
        )


def test_every_event_is_a_row_and_parts_are_cut_as_the_benchmark_does(make):
    dataset, loaders, _ = make_model(make("Popularity", protocol="tgb"))
    times = dataset.log.time
    low, high = np.quantile(times, [1 - 0.15 - 0.15, 1 - 0.15])
    masks = times <= low, (times > low) & (times <= high), times > high
    # The toy has events of the same time on either side of a cut by numbers.
    parts = [loader._dataset for loader in loaders]
    assert [len(part.log) for part in parts] == [len(times)] * 3
    for part, mask in zip(parts, masks, strict=True):
        found = np.arange(part.event_start, part.event_stop)
        assert found.tolist() == np.flatnonzero(mask).tolist()
    for part in parts[1:]:
        rows = part.inter_feat["event_index"].tolist()
        assert rows == list(range(part.event_start, part.event_stop))
    assert dataset.in_training.tolist() == masks[0].tolist()


def test_the_training_command_knows_it(toy, capsys):
    options = ["--model=LastItem", "--dataset=toy", f"--data_path={toy}", "--show_progress=False"]
    options += ["--protocol=tgb", "--topk=[5]"]
    assert command_line.main(options) == 0
    assert "fullmrr" in capsys.readouterr().out
    assert command_line.main([*options, "--first_events=False"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: protocol tgb sets first_events to True, but it is given as")

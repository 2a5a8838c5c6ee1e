"""Runs of two processes beside the same runs of one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import random_rows, write_log
from tests.distributed.launch import launch
from tests.distributed.program import IN_COMMON, REFUSED, RUNS, STOPPED

PROGRAM = Path(__file__).parent / "program.py"
# What an attention adds to all keys: softmax takes it away again, so that its gradient is what
# rounding leaves, which Adam makes steps of.
WITHOUT_EFFECT = "key.bias"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    """What one process and two processes have found."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    for folder in folders:
        write_log(folder, "toy", random_rows())
    two = launch(folders[1], PROGRAM, "found.json")
    one = launch(folders[0], PROGRAM, "found.json", size=1)
    for process in (one, two):
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors
    first, second = (json.loads((folder / "found.json").read_text()) for folder in folders)
    assert (first["size"], second["size"]) == (1, 2)
    return first, second


@pytest.mark.parametrize("model", RUNS)
def test_figures_are_those_of_one_process(found: tuple[dict, dict], model: str) -> None:
    one, two = (each[model] for each in found)
    assert any(one["test"].values())
    for part in ("valid", "test"):
        assert two[part] == pytest.approx(one[part], abs=1e-6), part
    assert two["ranks"] == one["ranks"]


def test_windows_that_are_not_shared_have_the_same_bits(found: tuple[dict, dict]) -> None:
    one, two = (each["not shared"] for each in found)
    assert one["weights"] == two["weights"]
    assert one["weights"] == found[0]["IMNNet"]["weights"]


@pytest.mark.parametrize("model", ["IMNNet", "IMNNetPlus", "JODIE", "IMN_NCE", "IMN_MSE"])
def test_windows_of_the_stream_are_shared(found: tuple[dict, dict], model: str) -> None:
    one, two = (each[model]["shared"] for each in found)
    assert one == 0
    assert two > 0
    assert found[1]["not shared"]["shared"] == 0


@pytest.mark.parametrize("model", RUNS)
def test_weights_differ_by_the_order_of_sums(found: tuple[dict, dict], model: str) -> None:
    one, two = (each[model]["weights"] for each in found)
    assert one.keys() == two.keys()
    for name, values in one.items():
        if not name.endswith(WITHOUT_EFFECT):
            np.testing.assert_allclose(two[name], values, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("model", STOPPED)
def test_a_stopped_run_goes_on_to_the_same_figures(found: tuple[dict, dict], model: str) -> None:
    whole, resumed = (found[1][f"{model}, {name}"] for name in ("seed 3", "resumed"))
    assert resumed["stopped"]
    assert resumed == {**whole, "stopped": True}


@pytest.mark.parametrize("model", IN_COMMON)
def test_tables_in_common_have_the_bits_of_own_ones(found: tuple[dict, dict], model: str) -> None:
    own, common, resumed = (
        found[1][f"{model}, {name}"] for name in ("seed 3", "in common", "in common, resumed")
    )
    assert common == own
    assert resumed == {**own, "stopped": True}


@pytest.mark.parametrize("word", REFUSED)
def test_what_cannot_be_shared_is_refused_in_one_line(found: tuple[dict, dict], word: str) -> None:
    line = found[1]["refusals"][word]
    assert word in line
    assert "\n" not in line


def test_one_process_writes(found: tuple[dict, dict], tmp_path_factory) -> None:
    folder = next(tmp_path_factory.getbasetemp().glob("two*"))
    boards = list((folder / "log_tensorboard").iterdir())
    runs = len(list((folder / "saved").glob("*.pth")))
    # One board a trainer, as of one process.
    assert len(boards) >= runs
    assert len(list((folder / "log").glob("JODIE/*.log"))) == 1
    # What was refused after its first batch has left where it was.
    left = {file.name.partition("-")[0] for file in (folder / "saved").glob("*.state")}
    assert left <= {"BERT4Rec"}

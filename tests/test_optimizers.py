"""What trains weights: which of them take which step."""

import copy

import pytest
import torch

from recbole_imn.model.sources import Pointer
from recbole_imn.optimizers import SparseAndDense, id_tables, optimizer_of
from recbole_imn.trainer import IMNNetTrainer

SETTINGS = {"learner": "adam", "learning_rate": 0.5, "table_learning_rate": 0.1}


def rates(network, **options):
    """The step size of each weight, by name."""
    optimizer = optimizer_of(network, SETTINGS | options, lambda: None)
    found = {id(w): group["lr"] for group in optimizer.param_groups for w in group["params"]}
    return {name: found.pop(id(weight)) for name, weight in network.named_parameters()}


@pytest.fixture
def plus(prepare):
    return prepare("IMNNetPlus", embedding_size=8)[-1].network


@pytest.mark.parametrize("learner", ["adam", "adamw", "sgd"])
def test_the_pointer_has_a_step_size_of_its_own(plus, learner):
    tables = {id(table) for table in id_tables(plus)}
    own = {id(weight) for weight in plus.pointer.parameters()}
    found = rates(plus, learner=learner, pointer_learning_rate=0.25)
    for name, weight in plus.named_parameters():
        expected = 0.1 if id(weight) in tables else 0.25 if id(weight) in own else 0.5
        assert found[name] == expected
    assert sorted(set(found.values())) == [0.1, 0.25, 0.5]


@pytest.mark.parametrize("options", [{}, {"pointer_learning_rate": None}])
def test_without_one_the_pointer_steps_as_all_others(plus, options):
    assert set(rates(plus, **options).values()) == {0.1, 0.5}


def test_a_network_without_a_pointer_has_no_group_for_it(prepare):
    network = prepare("IMNNet", embedding_size=8)[-1].network
    assert not any(isinstance(module, Pointer) for module in network.modules())
    optimizer = optimizer_of(network, SETTINGS | {"pointer_learning_rate": 0.25}, lambda: None)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]


def test_the_trainer_steps_as_the_settings_say(prepare):
    config, _, _, model = prepare("IMNNetPlus", embedding_size=8, pointer_learning_rate=0.25)
    optimizer = IMNNetTrainer(config, model).optimizer
    assert isinstance(optimizer, SparseAndDense)
    of_pointer = optimizer.dense.param_groups[1]
    assert of_pointer["lr"] == 0.25
    names = {id(weight): name for name, weight in model.named_parameters()}
    assert all("pointer." in names[id(weight)] for weight in of_pointer["params"])
    assert len(of_pointer["params"]) == len(list(model.network.pointer.parameters()))


def test_a_step_moves_the_pointer_by_its_own_step_size(plus):
    before = copy.deepcopy(plus)
    optimizer = optimizer_of(plus, SETTINGS | {"pointer_learning_rate": 0.25}, lambda: None)
    sum(weight.sum() for weight in optimizer.dense.param_groups[0]["params"]).backward()
    sum(weight.sum() for weight in optimizer.dense.param_groups[1]["params"]).backward()
    optimizer.dense.step()
    # Adam's first step is the step size, whatever the gradient.
    tables = {id(table) for table in id_tables(plus)}
    for (name, weight), old in zip(plus.named_parameters(), before.parameters(), strict=True):
        if id(weight) not in tables:
            size = 0.25 if name.startswith("pointer.") else 0.5
            torch.testing.assert_close(old - weight, torch.full_like(old, size))

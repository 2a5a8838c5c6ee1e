"""The running mean of weights: lazily for tables as if every step had looked at every row."""

import copy
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.trainer import Trainer

from recbole_imn.averaging import WeightAverage
from recbole_imn.optimizers import sparse_and_dense
from recbole_imn.preparation import prepare


class Model(torch.nn.Module):
    """A table and a weight that every step changes."""

    def __init__(self, n_rows=9, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.nn.Embedding(n_rows, 3, sparse=True, dtype=torch.float64)
        self.map = torch.nn.Linear(3, 2, dtype=torch.float64)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator, dtype=weight.dtype))


def optimizer_of(model, horizon, stepped=lambda: None):
    def build(weights):
        return torch.optim.Adam(weights, lr=0.1)

    return sparse_and_dense(model, build, 0.1, stepped, horizon)


def steps(model, optimizer, seed, count):
    """Take some steps, each of a few rows; some of them of none."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        size = int(torch.randint(0, 4, (1,), generator=generator))
        rows = torch.randint(0, 9, (size,), generator=generator)
        optimizer.zero_grad()
        model.map(model.table(rows)).square().sum().backward()
        optimizer.step()
        yield [weight.detach().clone() for weight in model.parameters()]


def dense_mean(weights, horizon):
    """Give the mean by its definition, every weight at every step."""
    means = [weight.clone() for weight in weights[0]]
    for step, present in enumerate(weights[1:], 1):
        for mean, weight in zip(means, present, strict=True):
            mean += (weight - mean) / min(step + 1, horizon)
    return means


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), horizon=st.integers(2, 12), counts=st.lists(st.integers(1, 15)))
def test_lazy_means_are_those_of_every_step(seed, horizon, counts):
    model = Model()
    optimizer = optimizer_of(model, horizon)
    weights = [[weight.detach().clone() for weight in model.parameters()]]
    for number, count in enumerate([3, *counts]):
        weights += steps(model, optimizer, seed + number, count)
        optimizer.average_weights()
        for found, expected in zip(model.parameters(), dense_mean(weights, horizon), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
        optimizer.latest_weights()
        assert all(map(torch.equal, model.parameters(), weights[-1]))


def test_a_horizon_that_is_not_reached_gives_the_plain_mean():
    model = Model()
    optimizer = optimizer_of(model, 100)
    weights = [[weight.detach().clone() for weight in model.parameters()]]
    weights += steps(model, optimizer, 4, 20)
    optimizer.average_weights()
    for found, *all_of_it in zip(model.parameters(), *weights, strict=True):
        torch.testing.assert_close(found, torch.stack(all_of_it).mean(0))


def test_training_does_not_depend_on_means():
    runs = []
    for horizon in (0, 5):
        model = Model()
        optimizer = optimizer_of(model, horizon)
        latest = []
        for _ in range(3):
            latest += steps(model, optimizer, 7, 4)
            optimizer.average_weights()
            optimizer.average_weights()  # once more is no other
            optimizer.latest_weights()
        runs.append(latest)
        assert (optimizer.average is None) == (horizon == 0)
    for one, other in zip(*runs, strict=True):
        assert all(map(torch.equal, one, other))
    assert any(not torch.equal(one[0], other[0]) for one, other in pairwise(runs[0]))


def test_others_hear_of_weights_that_were_put_in_and_taken_out():
    heard = []
    model = Model()
    optimizer = optimizer_of(model, 5, lambda: heard.append(None))
    list(steps(model, optimizer, 1, 2))
    for change, count in ((optimizer.average_weights, 3), (optimizer.latest_weights, 4)):
        change()
        assert len(heard) == count
    optimizer.latest_weights()
    assert len(heard) == 4


@pytest.mark.parametrize("stop", [1, 6, 11])
def test_what_is_kept_goes_on_to_the_same_bits(stop):
    ends = []
    for breaks in (False, True):
        model = Model()
        optimizer = optimizer_of(model, 6)
        for number in range(12):
            list(steps(model, optimizer, number, 1))
            if breaks and number == stop:
                kept = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
                model = Model(seed=1)
                optimizer = optimizer_of(model, 6)
                model.load_state_dict(kept[0])
                optimizer.load_state_dict(kept[1])
        optimizer.average_weights()
        ends.append([weight.detach().clone() for weight in model.parameters()])
    assert all(map(torch.equal, *ends))


def test_rows_that_were_never_touched_stay_as_they_are():
    table = torch.randn(4, 2)
    average = WeightAverage([torch.ones(1)], [table], 3)
    before = table.clone()
    for _ in range(5):
        average.before_step()
        average.after_step()
    average.put_in()
    assert torch.equal(table, before)


def test_what_was_validated_is_what_the_checkpoint_has(make_config):
    config = make_config("IMNNetPlus", epochs=3, average_share=0.5, learning_rate=0.01)
    _, (train, valid, _), trainer = prepare(config)
    latest = []
    learn = Trainer._train_epoch

    def train_epoch(self, *arguments, **named):
        loss = learn(self, *arguments, **named)
        latest.append([weight.detach().clone() for weight in self.model.parameters()])
        return loss

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_train_epoch", train_epoch)
        _, best = trainer.fit(train, valid, show_progress=False)
    # With eight windows an epoch, the mean of four is none of the ends of epochs.
    assert trainer.optimizer.average.horizon == 4
    assert trainer.evaluate(valid, show_progress=False) == best
    weights = list(trainer.model.parameters())
    assert len(latest) == 3
    for end in latest:
        assert not all(map(torch.equal, weights, end))


def test_models_have_no_mean_unless_it_is_asked_for(make_config):
    for model in ("IMNNet", "JODIE"):
        assert prepare(make_config(model))[2].optimizer.average is None


def test_a_state_without_a_mean_begins_one_with_its_weights():
    model = Model()
    optimizer = optimizer_of(model, 6)
    list(steps(model, optimizer, 2, 9))
    state = optimizer.state_dict()
    del state["average"]
    expected = [weight.detach().clone() for weight in model.parameters()]
    optimizer.load_state_dict(state)
    optimizer.average_weights()
    assert all(map(torch.equal, model.parameters(), expected))

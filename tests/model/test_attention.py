"""Attention to the latest items against its formula, event by event."""

import numpy as np
import pytest
import torch

from recbole_imn.errors import SettingsError
from recbole_imn.model.attention import GAIN, N_HEADS, SPEED, Attention
from recbole_imn.model.contexts import Mapped
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.statics import StaticTable
from recbole_imn.past import Past
from tests.past.logs import of_user, random_log

WIDTH, LENGTH = 6, 4
WIDTHS = (2 * WIDTH, 2 * WIDTH)
EVENTS = np.array([0, 5, 33, 78])


@pytest.fixture
def made():
    log = random_log(3)
    past = Past(log)
    past.move_to(len(log))
    settings = NetworkSettings(embedding_size=WIDTH, attended_events=LENGTH)
    torch.manual_seed(0)
    attention = Attention(Making(settings, past, 60))
    table = StaticTable(log.n_items, WIDTH, unit=True)
    return past, attention, table


def mapped_rows():
    values = torch.randn(len(EVENTS), 2 * WIDTH)
    return Mapped(values, (0, 0), WIDTHS, torch.tensor(0.7))


@torch.no_grad()
def test_it_adds_nothing_at_first(made):
    past, attention, table = made
    looked = attention.look(past, past.look_at_events(EVENTS))
    assert not attention(looked, mapped_rows(), table(looked.items)).any()


@torch.no_grad()
def test_it_is_its_formula(made):
    past, attention, table = made
    for weight in attention.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    looked, mapped = attention.look(past, past.look_at_events(EVENTS)), mapped_rows()
    found = attention(looked, mapped, table(looked.items))
    for row, event in enumerate(EVENTS):
        static = mapped.values[row, WIDTH:] * np.exp(-0.7)
        expected = naive(attention, table, past.log, int(event), static)
        torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


def naive(attention, table, log, event, static):
    before = of_user(log, log.user[event], event)[::-1][:LENGTH]
    if not before:
        return attention.value.bias
    means = []
    for head in range(N_HEADS):
        logits, embedded = [], table(torch.tensor([int(log.item[k]) for k in before]))
        for place, (k, vector) in enumerate(zip(before, embedded, strict=True)):
            age = np.log1p(log.time[event] - log.time[k]) / 6 - 1
            first, second = attention.age[head]
            bias = attention.place[head, place] + attention.behaviour[head, log.behaviour[k]]
            bias = bias + first * age + second * age**2
            alike = (static * attention.scale[head] * vector).sum()
            logits.append(GAIN**2 * alike + SPEED * bias)
        means.append(torch.stack(logits).softmax(0) @ embedded)
    return attention.value.weight @ torch.cat(means) + attention.value.bias


def test_gradients_reach_embeddings_and_the_context(made):
    past, attention, table = made
    torch.nn.init.normal_(attention.value.weight)
    looked, mapped = attention.look(past, past.look_at_events(EVENTS)), mapped_rows()
    mapped.values.requires_grad_()
    attention(looked, mapped, table(looked.items)).square().sum().backward()
    assert mapped.values.grad[2, WIDTH:].any()
    rows = table.table.weight.grad.coalesce().indices()[0]
    assert set(looked.items.tolist()) == set(rows.tolist())


def test_the_prediction_is_left_as_it_is():
    added = torch.ones(len(EVENTS), 2 * WIDTH)
    shared = mapped_rows()
    both = Mapped(torch.randn(4, 4 * WIDTH), (0, 2 * WIDTH), WIDTHS, torch.tensor(0.7))
    alone = Mapped(shared.values, (-1, 0), WIDTHS, torch.tensor(0.7))
    for mapped in (shared, both, alone):
        changed = mapped.with_compared(added)
        assert torch.equal(changed.predicted, mapped.predicted)
        expected = mapped.compared + np.exp(-0.7)
        torch.testing.assert_close(changed.compared, expected.float())


def test_without_a_density_ratio_there_is_nothing_to_attend_for():
    with pytest.raises(SettingsError, match="attended_events is 20"):
        NetworkSettings(attended_events=20, nce_weight=0.0)

"""State tables: reset, read, commit, growth, what is kept of them."""

import pytest
import torch

from recbole_imn.stream import Memory


def commit(memory, ids, states):
    memory.commit_rows(ids, states, torch.arange(len(ids)), 0)


def test_unknown_entities_read_as_the_learnable_initial_state():
    memory = Memory(4, 2)
    commit(memory, torch.tensor([2]), torch.tensor([[0.1, 0.9]]))
    states = memory.read(torch.tensor([1, 2]))
    torch.testing.assert_close(states, torch.tensor([[0.5, 0.5], [0.1, 0.9]]))
    states.sum().backward()
    assert (memory.initial_logit.grad == 0.25).all()


def test_what_was_kept_comes_back():
    memory = Memory(3, 2)
    commit(memory, torch.tensor([1]), torch.tensor([[0.2, 0.3]]))
    kept = memory.state()
    for _ in range(2):
        commit(memory, torch.tensor([1, 2]), torch.ones(2, 2))
        memory.load_state(kept)
        expected = torch.tensor([[0.5, 0.5], [0.2, 0.3], [0.5, 0.5]])
        torch.testing.assert_close(memory.read(torch.arange(len(memory.states))), expected)


def test_growth_keeps_states_and_outlives_what_was_kept_before():
    memory = Memory(3, 2)
    commit(memory, torch.tensor([1]), torch.tensor([[0.2, 0.3]]))
    kept = memory.state()
    memory.grow(5)
    commit(memory, torch.tensor([4]), torch.ones(1, 2))
    expected = torch.tensor([[0.5, 0.5], [0.2, 0.3], [0.5, 0.5], [0.5, 0.5], [1.0, 1.0]])
    torch.testing.assert_close(memory.read(torch.arange(len(memory.states))), expected)
    memory.load_state(kept)
    expected[4] = 0.5
    torch.testing.assert_close(memory.read(torch.arange(len(memory.states))), expected)


def test_reset_forgets_states_and_checkpoints_never_have_them():
    memory = Memory(3, 2)
    commit(memory, torch.tensor([1]), torch.ones(1, 2))
    memory.reset()
    assert (memory.read(torch.arange(len(memory.states))) == 0.5).all()
    assert set(memory.state_dict()) == {"initial_logit"}


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_states_are_kept_in_half_the_memory(precision):
    memory, whole = Memory(4, 2, precision=precision), Memory(4, 2)
    states = torch.tensor([[0.123, 0.456], [0.5, 0.25]])
    for each in (memory, whole):
        commit(each, torch.tensor([1, 3]), states)
    assert memory.states.nbytes * 2 == whole.states.nbytes
    found = memory.read(torch.arange(4))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, whole.read(torch.arange(4)), atol=2e-3, rtol=0)
    assert torch.equal(found[3], states[1])
    kept = memory.state()
    memory.reset()
    memory.load_state(kept)
    assert torch.equal(memory.read(torch.arange(4)), found)

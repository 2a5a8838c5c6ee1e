"""State tables: reset, read, commit, growth, what is kept of them."""

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
        torch.testing.assert_close(memory.read_all(), expected)


def test_growth_keeps_states_and_outlives_what_was_kept_before():
    memory = Memory(3, 2)
    commit(memory, torch.tensor([1]), torch.tensor([[0.2, 0.3]]))
    kept = memory.state()
    memory.grow(5)
    commit(memory, torch.tensor([4]), torch.ones(1, 2))
    expected = torch.tensor([[0.5, 0.5], [0.2, 0.3], [0.5, 0.5], [0.5, 0.5], [1.0, 1.0]])
    torch.testing.assert_close(memory.read_all(), expected)
    memory.load_state(kept)
    expected[4] = 0.5
    torch.testing.assert_close(memory.read_all(), expected)


def test_reset_forgets_states_and_checkpoints_never_have_them():
    memory = Memory(3, 2)
    commit(memory, torch.tensor([1]), torch.ones(1, 2))
    memory.reset()
    assert (memory.read_all() == 0.5).all()
    assert set(memory.state_dict()) == {"initial_logit"}

"""The store of purchases against one that keeps everything."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.model.purchases import PurchaseStore
from recbole_imn.stream.levels import plan_levels
from recbole_imn.stream.memory import Memory
from recbole_imn.stream.plan import PurchasePlan

N_USERS, N_GENERAL, N_LIMITED = 7, 3, 2


def chain_of(users, bought, start, earlier):
    """Plan the purchases of a window, and earlier ones that are unrolled again."""
    events = np.array([*earlier, *range(start, start + len(bought))], np.int64)
    owners = np.searchsorted(users, [*earlier.values(), *bought])
    last, sources = np.arange(len(users)), np.empty((len(events), 1), np.int64)
    for place, owner in enumerate(owners):
        sources[place, 0], last[owner] = last[owner], len(users) + place
    levels, rows = plan_levels(sources, len(users)), torch.from_numpy(last)
    return lambda first: PurchasePlan(events, len(earlier), first, levels, rows, rows)


def play(store, windows, reach, seed=0):
    """Play windows of purchases, and check what each begins from."""
    generator = torch.Generator().manual_seed(seed)
    memory, kept, start = Memory(N_USERS, N_LIMITED, positive=False), {}, 0
    memory.initial_logit.data.normal_(generator=generator)
    for bought in windows:
        users = np.unique([0, *bought])
        of_users = {user: [e for e in kept if kept[e][0] == user] for user in users}
        earlier = sorted(e for of_user in of_users.values() for e in of_user[-reach:] if reach)
        first = [of_users[kept[e][0]][0] == e for e in earlier]
        seen = {user for user in users if of_users[user]}
        for user in bought:
            first.append(user not in seen)
            seen.add(user)
        chain = chain_of(users, bought, start, {e: kept[e][0] for e in earlier})(np.array(first))
        all_users = torch.tensor([*(kept[e][0] for e in earlier), *bought], dtype=torch.long)
        initial, general = store.begin(chain, all_users, torch.from_numpy(users), memory)
        for row, event in enumerate(earlier):
            assert torch.equal(general[row], kept[event][1])
        for row, user in enumerate(users):
            oldest = [e for e in earlier if kept[e][0] == user][:1]
            began = oldest and not first[earlier.index(oldest[0])]
            assert torch.equal(initial[row], kept[oldest[0]][2] if began else memory.initial)
        n = len(all_users)
        limited = torch.randn(len(users) + n, N_LIMITED, generator=generator)
        general = torch.randn(n, N_GENERAL, generator=generator)
        store.keep(chain, all_users, limited, general)
        for place in range(len(earlier), n):
            before = limited[chain.levels.sources[place, 0]]
            kept[start] = (int(all_users[place]), general[place], before)
            start += 1


WINDOWS = st.lists(st.lists(st.integers(1, N_USERS - 1), max_size=9), max_size=5)


@pytest.mark.parametrize("reach", [0, 1, 2, 4])
@settings(deadline=None, max_examples=25)
@given(windows=WINDOWS)
def test_a_window_begins_from_what_was_kept(reach, windows):
    store = PurchaseStore(N_USERS, reach, N_GENERAL, N_LIMITED)
    for _ in range(2):
        play(store, windows, reach)
        store.reset()
    assert store.n_slots == 0


def test_a_state_is_taken_back_and_goes_on():
    store, other = (PurchaseStore(N_USERS, 2, N_GENERAL, N_LIMITED) for _ in range(2))
    play(store, [[1, 2, 1], [3, 1], [5, 5, 5, 4]], 2)
    state = copy.deepcopy(store.state())
    assert len(state["counts"]) == len(state["general"]) == 5
    other.load_state(state)
    for name, value in other.state().items():
        assert torch.equal(value, state[name])
    other.grow(N_USERS + 1)
    chain = chain_of(np.array([N_USERS]), [N_USERS], 20, {})(np.array([True]))
    limited, general = torch.randn(2, N_LIMITED), torch.randn(1, N_GENERAL)
    other.keep(chain, torch.tensor([N_USERS]), limited, general)
    assert torch.equal(other.state()["general"][5, 0], general[0])
    assert torch.equal(other.state()["before"][5, 0], limited[0])
    assert torch.equal(store.state()["slots"], state["slots"])

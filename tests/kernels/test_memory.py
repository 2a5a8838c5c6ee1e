"""States of users and items are read in one pass as each by themselves."""

import torch

from recbole_imn.kernels.memory import read, read_both


def table(n, ids, seed):
    torch.manual_seed(seed)
    initial = torch.randn(4, dtype=torch.double, requires_grad=True)
    return torch.randn(n, 4, dtype=torch.double), torch.rand(n) < 0.5, torch.tensor(ids), initial


def test_both_tables_are_each_alone():
    users, items = table(6, [0, 1, 5, 5], 0), table(9, [8, 2, 3], 1)
    expected = torch.cat([read(*users), read(*items)])
    assert torch.equal(read_both(users, items), expected)
    assert torch.autograd.gradcheck(
        lambda user, item: read_both((*users[:3], user), (*items[:3], item)), (users[3], items[3])
    )

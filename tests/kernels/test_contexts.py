"""Maps of contexts: a formula, gradients, and rows that do not know of each other."""

import pytest
import torch

from recbole_imn.kernels.contexts import join_context, map_context, map_context_formula


def parts(n=9, width=5, n_out=20, seed=0, dtype=torch.double):
    torch.manual_seed(seed)
    user, item = torch.randn(n, 2 * width, dtype=dtype), torch.randn(n, width, dtype=dtype)
    users, items = torch.randn(4, width, dtype=dtype), torch.randn(3, width, dtype=dtype)
    weight, bias = torch.randn(n_out, 5 * width, dtype=dtype), torch.randn(n_out, dtype=dtype)
    places = torch.randint(0, 4, (n,)), torch.randint(0, 3, (n,))
    return [user, users, places[0], item, items, places[1], weight, bias]


def with_gradients(given):
    return [value.requires_grad_() if value.is_floating_point() else value for value in given]


@pytest.mark.parametrize("n", [1, 9, 40])
@pytest.mark.parametrize("n_out", [3, 20])
def test_maps_are_those_of_the_joined_contexts(n, n_out):
    given, same = (with_gradients(parts(n, n_out=n_out)) for _ in range(2))
    found, expected = map_context(*given), map_context_formula(*same)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)
    factors = torch.randn_like(found)
    (found * factors).sum().backward()
    (expected * factors).sum().backward()
    for one, other in zip(given, same, strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-11, rtol=1e-11)


def test_gradients():
    assert torch.autograd.gradcheck(map_context, with_gradients(parts(n=4, n_out=16)))


def test_parts_lie_in_order():
    user, users, user_place, item, items, item_place, *_ = given = parts()
    joined = join_context(*given[:6])
    assert torch.equal(joined[2], torch.cat([user[2], users[user_place[2]], item[2],
                                             items[item_place[2]]]))  # fmt: skip


@pytest.mark.parametrize("width", [16, 128])
@pytest.mark.parametrize("n_out", [3, 256])
def test_rows_do_not_know_of_each_other(width, n_out):
    user, users, user_place, item, items, item_place, weight, bias = parts(
        60, width, n_out, dtype=torch.float32
    )
    whole = map_context(user, users, user_place, item, items, item_place, weight, bias)
    for n in [*range(1, 20), 33]:
        # Other users and items are there too, and in another order.
        order = torch.randperm(4)
        back = order.argsort()
        part = map_context(
            user[:n], users[order], back[user_place[:n]], item[:n],
            torch.cat([items, items]), item_place[:n] + 3, weight, bias,
        )  # fmt: skip
        assert torch.equal(part, whole[:n]), n


@pytest.mark.parametrize("wrong", [-1, 4])
def test_places_are_looked_at(wrong):
    given = parts()
    given[2][3] = wrong
    with pytest.raises(IndexError):
        map_context(*given)

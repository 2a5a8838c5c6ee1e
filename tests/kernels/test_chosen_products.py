"""Products by chosen vectors: a formula and its gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.chosen_products import chosen_products, chosen_products_formula


def inputs(seed, n, m, n_chosen, width, kind=torch.int32):
    generator = torch.Generator().manual_seed(seed)
    queries, vectors = (
        torch.randn(rows, width, generator=generator, dtype=torch.double, requires_grad=True)
        for rows in (n, m)
    )
    columns = torch.randint(0, m, (n, n_chosen), generator=generator).to(kind)
    return queries, vectors, columns


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    n=st.integers(0, 9),
    m=st.integers(1, 9),
    n_chosen=st.integers(0, 5),
    width=st.integers(1, 20),
    kind=st.sampled_from([torch.int32, torch.int64]),
)
def test_values_and_gradients_are_those_of_the_formula(seed, n, m, n_chosen, width, kind):
    given_, same = (inputs(seed, n, m, n_chosen, width, kind) for _ in range(2))
    found, expected = chosen_products(*given_), chosen_products_formula(*same)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)
    weights = torch.randn(n, n_chosen, dtype=torch.double)
    for products, (queries, vectors, _) in ((found, given_), (expected, same)):
        (products * weights).sum().backward()
        assert queries.grad is not None
        assert vectors.grad is not None
    for one, other in zip(given_[:2], same[:2], strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-12, rtol=1e-12)


def test_a_row_has_the_same_bits_whoever_is_there():
    queries, vectors, columns = inputs(0, 30, 7, 4, 33)
    queries, vectors = queries.detach().float(), vectors.detach().float()
    whole = chosen_products(queries, vectors, columns)
    for row in range(30):
        alone = chosen_products(queries[[row]], vectors, columns[[row]])
        assert torch.equal(alone[0], whole[row])


@pytest.mark.parametrize("column", [-1, 3])
def test_vectors_that_do_not_exist_are_refused(column):
    queries, vectors, columns = inputs(0, 2, 3, 1, 4)
    columns[1, 0] = column
    with pytest.raises(IndexError, match="a vector that is chosen does not exist"):
        chosen_products(queries, vectors, columns)

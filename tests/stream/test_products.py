"""A row's result does not depend on the number of rows, to the last bit."""

import pytest
import torch

from recbole_imn.kernels.in_parallel import threads
from recbole_imn.stream import products


@pytest.fixture(params=[1, 2])
def _threads(request):
    with threads(request.param):
        yield


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("width", [16, 33, 128, 256])
def test_rows_agree_in_products_of_every_size(width):
    assert products.rows_agree(width)


@pytest.mark.parametrize("n_out", [4, 8, 21])
@pytest.mark.parametrize("biased", [True, False])
def test_rows_agree_in_small_layers(n_out, biased):
    torch.manual_seed(0)
    for n_in in range(1, 40):
        rows, weight = torch.randn(40, n_in), torch.randn(n_out, n_in)
        bias = torch.randn(n_out) if biased else None
        expected = products.affine(rows, weight, bias)
        for n in range(1, 40):
            assert torch.equal(products.affine(rows[:n], weight, bias), expected[:n]), (n_in, n)


@pytest.mark.parametrize("width", [8, 32, 33])
def test_elements_agree_wherever_they_are(width):
    torch.manual_seed(0)
    values = torch.randn(50, width)
    expected = products.sigmoid(values)
    for n in range(1, 50):
        assert torch.equal(products.sigmoid(values[50 - n :].clone()), expected[50 - n :]), n

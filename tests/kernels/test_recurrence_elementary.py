"""exp, sigmoid and tanh: near the exact values, the same wherever an element stands."""

import numpy as np
import pytest

from recbole_imn.kernels.compiled import in_order
from recbole_imn.kernels.elementary import exponential, hyperbolic_tangent, logistic


@in_order
def all_exponential(values, out):
    for j in range(len(values)):
        out[j] = exponential(values[j])


@in_order
def all_tangent(values, out):
    for j in range(len(values)):
        out[j] = hyperbolic_tangent(values[j])


@in_order
def all_logistic(values, out):
    for j in range(len(values)):
        out[j] = logistic(values[j])


FUNCTIONS = {
    "exp": (all_exponential, np.exp),
    "tanh": (all_tangent, np.tanh),
    "sigmoid": (all_logistic, lambda x: 1 / (1 + np.exp(-x))),
}


def applied(function, values):
    out = np.empty_like(values)
    function(values, out)
    return out


@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_precision_is_near_exact(name):
    function, exact = FUNCTIONS[name]
    values = np.concatenate([np.linspace(-86, 86, 200_001), np.linspace(-1, 1, 100_001)])
    values = values.astype(np.float32)
    expected = exact(values.astype(np.float64))
    ulps = np.abs(applied(function, values) - expected) / np.spacing(
        np.abs(expected).astype(np.float32)
    )
    assert ulps.max() <= 3.5


@pytest.mark.parametrize("name", FUNCTIONS)
def test_double_precision_is_the_librarys(name):
    function, exact = FUNCTIONS[name]
    values = np.linspace(-30, 30, 1001)
    np.testing.assert_allclose(applied(function, values), exact(values), rtol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_elements_place_makes_no_difference(name):
    function, _ = FUNCTIONS[name]
    values = np.random.default_rng(0).normal(size=200).astype(np.float32) * 5
    whole = applied(function, values)
    for start, stop in [(0, 1), (3, 20), (150, 200), (64, 191), (199, 200)]:
        np.testing.assert_array_equal(
            applied(function, values[start:stop].copy()), whole[start:stop]
        )


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_far_values_reach_the_bounds(name):
    function, exact = FUNCTIONS[name]
    values = np.array([-np.inf, -1e30, -200, 200, 1e30, np.inf, np.nan], np.float32)
    with np.errstate(over="ignore"):
        expected = exact(values.astype(np.float64))
    np.testing.assert_allclose(applied(function, values), expected, atol=1e-37)

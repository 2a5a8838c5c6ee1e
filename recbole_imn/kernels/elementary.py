"""exp, sigmoid and tanh that loops can vectorise, with the same bits wherever they stand.

A library's vectorised functions round otherwise than its scalar ones, which do the
elements left over, and a compiler calls one function an element. Single precision takes
polynomials; double precision, which only tests and exact comparisons want, the library's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.core import types
from numba.extending import overload

Single = np.float32
ONE, TWO = Single(1.0), Single(2.0)
# exp(x) = 2^n exp(r), |r| <= ln(2) / 2; the polynomial is that of Cephes' expf.
LOG2_E, LN2_HIGH, LN2_LOW = Single(1.44269504), Single(0.693359375), Single(-2.12194440e-4)
E0, E1, E2 = Single(1.9875691500e-4), Single(1.3981999507e-3), Single(8.3334519073e-3)
E3, E4, E5 = Single(4.1665795894e-2), Single(1.6666665459e-1), Single(5.0000001201e-1)
# Adding 1.5 * 2^23 rounds to an integer, and leaves it in the lowest bits.
ROUNDER = Single(12582912.0)
LOWEST, HIGHEST = Single(-87.0), Single(88.0)
EXPONENT_OF_ONE, MANTISSA_BITS = np.int32(127), np.int32(23)
# tanh(x) of small x is an odd polynomial, that of Cephes' tanhf; of others, 1 - 2 / (e^2x + 1).
SMALL = Single(0.625)
T0, T1, T2 = Single(-5.70498872745e-3), Single(2.06390887954e-2), Single(-5.37397155531e-2)
T3, T4 = Single(1.33314422036e-1), Single(-3.33332819422e-1)


def exponential(x: Any) -> Any:
    """Give e^x; compiled code only. Single precision stops at e^-87 and e^88."""
    raise NotImplementedError


def hyperbolic_tangent(x: Any) -> Any:
    """Give tanh(x); compiled code only."""
    raise NotImplementedError


def logistic(x: Any) -> Any:
    """Give 1 / (1 + e^-x); compiled code only."""
    raise NotImplementedError


def _exponential_single(x: Any) -> Any:
    x = LOWEST if x < LOWEST else x
    x = HIGHEST if x > HIGHEST else x
    shifted = x * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    poly = ((((E0 * r + E1) * r + E2) * r + E3) * r + E4) * r + E5
    # The rounder's own bits leave the word on the left.
    power = (np.float32(shifted).view(np.int32) + EXPONENT_OF_ONE) << MANTISSA_BITS
    return (poly * (r * r) + r + ONE) * np.int32(power).view(np.float32)


def _tangent_single(x: Any) -> Any:
    s = x * x
    small = ((((T0 * s + T1) * s + T2) * s + T3) * s + T4) * s * x + x
    large = ONE - TWO / (exponential(x + x) + ONE)
    return small if abs(x) < SMALL else large


def _logistic_single(x: Any) -> Any:
    return ONE / (ONE + exponential(-x))


def _exponential_double(x: Any) -> Any:
    return math.exp(x)


def _tangent_double(x: Any) -> Any:
    return math.tanh(x)


def _logistic_double(x: Any) -> Any:
    return 1.0 / (1.0 + math.exp(-x))


@overload(exponential)
def _exponential(x: Any) -> Any:
    return _exponential_single if x == types.float32 else _exponential_double


@overload(hyperbolic_tangent)
def _hyperbolic_tangent(x: Any) -> Any:
    return _tangent_single if x == types.float32 else _tangent_double


@overload(logistic)
def _logistic(x: Any) -> Any:
    return _logistic_single if x == types.float32 else _logistic_double

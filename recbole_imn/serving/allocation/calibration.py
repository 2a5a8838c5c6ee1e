r"""Scores of different users as probabilities, so that they can be added up.

A row of scores is a log density ratio up to a constant of its own: it ranks the items of one
user, and says nothing about another user's. With a temperature T,

.. math::
    p(i | u) = \frac{\exp(s_{ui} / T)}{\sum_j \exp(s_{uj} / T)}

is the probability that the user's next item, if it is one of the candidates, is i. The sum of
p over all lists is then the expected number of users whose next item is on their list.
Temperature scaling is that of Guo et al. (2017), https://arxiv.org/abs/1706.04599.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from recbole_imn.errors import ServingError
from recbole_imn.log import Floats, Integers
from recbole_imn.serving.checks import floats, is_number
from recbole_imn.validation import shown


def calibrate(scores: npt.ArrayLike, temperature: float = 1.0) -> Floats:
    """Turn scores into probabilities over the candidates of each row.

    Parameters
    ----------
    scores : float [n, n_items]
        Log density ratios up to a constant a row; minus infinity for what is no candidate.
    temperature : float
        Above 1 it flattens, below 1 it sharpens.

    Returns
    -------
    float64 [n, n_items]
        Rows that sum to 1, or to 0 where there is no candidate. A row depends on no other.

    Raises
    ------
    ServingError
        If a score is NaN or plus infinity, or the temperature not above 0.
    """
    if not is_number(temperature) or not 0 < temperature < np.inf:
        raise ServingError(f"temperature is {shown(temperature)}; it is a number above 0")
    powers = np.exp(_below_best(_checked(scores)) / temperature)
    totals = powers.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(powers, totals, out=np.zeros_like(powers), where=totals > 0)
    return shares


def fit_temperature(scores: npt.ArrayLike, true_places: npt.ArrayLike) -> float:
    """Give the temperature under which the items that came next are likeliest.

    The log likelihood is concave in 1/T, so its derivative has one zero.

    Parameters
    ----------
    scores : float [n_rows, n_items]
        Of validation rows, as for :func:`calibrate`.
    true_places : int64 [n_rows]
        The column of the item that came next, a candidate of its row.

    Returns
    -------
    float
        A finite number above 0.

    Raises
    ------
    ServingError
        If a place is none of the row's candidates, or no finite temperature is the likeliest.
    """
    checked = _checked(scores)
    below = _below_best(checked)
    true = _true_scores(below, _places(true_places))
    _refuse_extremes(below, true)
    top = 1.0
    while _slope(top, below, true) < 0:
        top *= 2
    return float(1 / brentq(_slope, 0.0, top, args=(below, true), xtol=1e-12 * top))


def _places(told: npt.ArrayLike) -> Integers:
    places = floats(told, "true_places")
    if not ((places == np.floor(places)) & (np.abs(places) < 2**52)).all():
        raise ServingError(f"true_places is {shown(told)}; they are whole numbers, of columns")
    return places.astype(np.int64)


def _checked(scores: npt.ArrayLike) -> Floats:
    """Give scores as rows of float64 that lie one behind the other."""
    checked = np.ascontiguousarray(floats(scores, "scores"))
    if checked.ndim != 2:
        raise ServingError(f"scores have shape {checked.shape}; they are [n, n_items]")
    wrong = np.argwhere(np.isnan(checked) | (checked == np.inf))
    if len(wrong):
        row, column = wrong[0]
        raise ServingError(
            f"the score in row {row}, column {column} is {checked[row, column]}; scores are "
            "numbers, or minus infinity for what is no candidate"
        )
    return checked


def _below_best(scores: Floats) -> Floats:
    """Give scores minus the best of their row; all minus infinity where there is none."""
    best = scores.max(axis=1, keepdims=True, initial=-np.inf)
    shifted: Floats = scores - np.where(np.isfinite(best), best, 0.0)
    return shifted


def _true_scores(below: Floats, places: Integers) -> Floats:
    """Give each row's score of the item that came next."""
    n_rows, n_items = below.shape
    if places.shape != (n_rows,) or not n_rows:
        raise ServingError(
            f"true_places have shape {places.shape} for {n_rows} rows of scores; give one a row, "
            "and at least one row"
        )
    within = (places >= 0) & (places < n_items)
    true = np.where(within, below[np.arange(n_rows), np.where(within, places, 0)], -np.inf)
    if not np.isfinite(true).all():
        row = int(np.flatnonzero(~np.isfinite(true))[0])
        raise ServingError(
            f"true_places has {places[row]} for row {row}, which is no candidate there; leave "
            "such rows out"
        )
    return true


def _refuse_extremes(below: Floats, true: Floats) -> None:
    """Refuse rows whose likelihood only grows as the temperature goes to 0 or to infinity."""
    if (true == 0).all():
        raise ServingError(
            f"the best score is right in each of {len(true)} rows, so that no temperature is low "
            "enough; give more rows"
        )
    if _slope(0.0, below, true) >= 0:
        raise ServingError(
            f"scores of {len(true)} rows are no better than chance, so that no temperature is "
            "high enough; give more rows, or train the model further"
        )


def _slope(sharpness: float, below: Floats, true: Floats) -> float:
    """Give the derivative of minus the mean log likelihood by 1/T; it rises."""
    there = np.isfinite(below)
    known = np.where(there, below, 0.0)
    powers = np.where(there, np.exp(sharpness * known), 0.0)
    mean = (powers * known).sum(axis=1) / powers.sum(axis=1)
    return float((mean - true).mean())

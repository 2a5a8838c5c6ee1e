"""Boosted trees as arrays: in checkpoints like weights, and evaluated without the library."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Floats, Integers

# Bits of a node as LightGBM writes them: by categories; a missing value goes left; and two bits
# that say what is missing: nothing, zeros, or what is no number.
CATEGORICAL, DEFAULT_LEFT, MISSING_SHIFT = 1, 2, 2
ZERO_IS_MISSING, NAN_IS_MISSING = 1, 2
# LightGBM takes smaller numbers for zeros.
ZERO = 1e-35


class Trees(NamedTuple):
    """Trees of the same number of leaves, at most; missing ones give 0.

    Attributes
    ----------
    column : int64 [n_trees, n_leaves]
        That a node looks at; a tree has one node less than leaves.
    threshold : float64 [n_trees, n_leaves]
        Values up to it go left.
    kind : int64 [n_trees, n_leaves]
        LightGBM's bits.
    left, right : int64 [n_trees, n_leaves]
        A later node, or ``-1 - leaf``.
    value : float64 [n_trees, n_leaves]
        Of leaves.
    """

    column: Integers
    threshold: Floats
    kind: Integers
    left: Integers
    right: Integers
    value: Floats


def no_trees(n_trees: int, n_leaves: int) -> Trees:
    """Give trees that say nothing."""
    shape = n_trees, n_leaves
    integers = (np.zeros(shape, np.int64) for _ in range(2))
    children = (np.full(shape, -1, np.int64) for _ in range(2))
    column, kind = integers
    left, right = children
    return Trees(column, np.zeros(shape), kind, left, right, np.zeros(shape))


def parse_trees(text: str, n_trees: int, n_leaves: int) -> Trees:
    """Read the text of a LightGBM model.

    Parameters
    ----------
    text : str
        As ``Booster.model_to_string`` gives it.
    n_trees, n_leaves : int
        Room for trees and leaves.

    Raises
    ------
    ValueError
        If a node splits by categories, which nobody asked for.
    """
    trees = no_trees(n_trees, n_leaves)
    parts = text.split("\nTree=")[1:]
    for number, part in enumerate(parts):
        lines = part.split("\n\n")[0].splitlines()
        entries = dict(line.split("=", 1) for line in lines if "=" in line)
        _fill(trees, number, entries)
    return trees


def _fill(trees: Trees, number: int, entries: dict[str, str]) -> None:
    values = np.array(entries["leaf_value"].split(), np.float64)
    trees.value[number, : len(values)] = values
    if len(values) == 1:
        return
    names = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
    for name, column in zip(names, trees[:5], strict=True):
        column[number, : len(values) - 1] = np.array(entries[name].split(), column.dtype)
    if (trees.kind[number] & CATEGORICAL).any():
        raise ValueError(f"tree {number} splits by categories, but all columns are numbers")


def check_trees(trees: Trees, n_columns: int) -> None:
    """Refuse trees that would lead out of their arrays, or never to a leaf.

    Raises
    ------
    ValueError
        With what is wrong.
    """
    n_leaves = trees.value.shape[1]
    if ((trees.column < 0) | (trees.column >= n_columns)).any():
        raise ValueError(f"a tree looks at a column outside 0..{n_columns - 1}")
    nodes = np.arange(n_leaves)
    for children in (trees.left, trees.right):
        is_leaf = (children < 0) & (children >= -n_leaves)
        if not (is_leaf | ((children > nodes) & (children < n_leaves))).all():
            raise ValueError("a tree has a node whose child is neither a later node nor a leaf")


@exact
def add_trees(
    columns: npt.NDArray[np.float32], trees: Trees, first: int, last: int, out: Floats
) -> None:
    """Add what some trees say, one tree after the other.

    Parameters
    ----------
    columns : float32 [n, n_columns]
    trees : Trees
    first, last : int
        Trees ``first <= k < last``.
    out : float64 [n]
        Added to.
    """
    for row in range(len(columns)):
        for tree in range(first, last):
            node = 0
            while node >= 0:
                value = float(columns[row, trees.column[tree, node]])
                if _goes_left(value, trees.threshold[tree, node], trees.kind[tree, node]):
                    node = trees.left[tree, node]
                else:
                    node = trees.right[tree, node]
            out[row] += trees.value[tree, -1 - node]


@exact
def _goes_left(value: float, threshold: float, kind: int) -> bool:
    missing = kind >> MISSING_SHIFT
    if np.isnan(value) and missing != NAN_IS_MISSING:
        value = 0.0
    is_zero = missing == ZERO_IS_MISSING and abs(value) <= ZERO
    if is_zero or (missing == NAN_IS_MISSING and np.isnan(value)):
        return bool(kind & DEFAULT_LEFT)
    return bool(value <= threshold)

"""The mixture's loss against plain formulas, its gradients, and row by row."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck
from torch.nn import functional

from recbole_imn.kernels.mixture import mixture_loss, mixture_loss_formula

LEAVES = ("positive", "products", "weights", "table")


def draw(seed, n=5, n_negatives=7, more=3, n_slots=4, scale=3.0, dtype=torch.float64):
    """Arguments of the loss by name: rows with empty slots, duplicates, and empty shares."""
    rng = torch.Generator().manual_seed(seed)

    def number(*shape):
        return scale * torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype)

    def whole(high, *shape):
        return torch.randint(0, high, shape, generator=rng)

    weights = number(n, n_slots)
    weights[torch.rand(n, n_slots, generator=rng) < 0.4] = -torch.inf
    shares = number(n_negatives).abs()
    shares[torch.rand(n_negatives, generator=rng) < 0.2] = -torch.inf
    arguments = {
        "positive": number(n),
        "products": number(n, n_negatives + more),
        "columns": whole(n_negatives + more, n, n_negatives),
        "shares": shares,
        "own": whole(9, n),
        "negatives": whole(9, n_negatives),
        "weights": weights,
        "hits": torch.rand(n, n_slots, generator=rng) < 0.3,
        "table": number(6),
        "cells": whole(6, n, n_negatives).int(),
        "positive_cells": whole(6, n).int(),
    }
    for name in LEAVES:
        arguments[name].requires_grad_()
    return arguments


def without(arguments, *names):
    """The same without optional parts."""
    arguments = arguments | dict.fromkeys(names)
    if "columns" in names:
        width = len(arguments["negatives"])
        arguments["products"] = arguments["products"][:, :width].detach().requires_grad_()
    return arguments


def gradients(loss, arguments):
    return torch.autograd.grad(
        loss, [arguments[name] for name in LEAVES if arguments[name] is not None]
    )


def plain_loss(arguments):
    """The loss as loops over numbers."""
    a = {name: None if part is None else part.tolist() for name, part in arguments.items()}
    loss = 0.0
    for i, positive in enumerate(a["positive"]):
        own = positive + (a["table"][a["positive_cells"][i]] if a["table"] else 0)
        total = right = math.exp(own)
        for j, negative in enumerate(a["negatives"]):
            if negative != a["own"][i]:
                score = a["products"][i][a["columns"][i][j] if a["columns"] else j]
                placed = a["table"][a["cells"][i][j]] if a["table"] else 0
                total += math.exp(score + placed + a["shares"][j])
        for weight, hit in zip(a["weights"][i], a["hits"][i], strict=True):
            total += math.exp(weight)
            right += math.exp(weight) if hit else 0
        loss += math.log(total) - math.log(right)
    return loss


PLACED = ("table", "cells", "positive_cells")
OPTIONS = [(), ("columns",), PLACED, ("columns", *PLACED)]


@pytest.mark.parametrize("missing", OPTIONS)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 6),
    n_negatives=st.integers(1, 40),
    n_slots=st.integers(0, 9),
    scale=st.sampled_from([0.1, 3.0, 30.0]),
)
def test_loss_and_gradients_equal_the_formula(missing, seed, n, n_negatives, n_slots, scale):
    arguments = without(draw(seed, n, n_negatives, 3, n_slots, scale), *missing)
    loss, expected = mixture_loss(**arguments), mixture_loss_formula(**arguments)
    torch.testing.assert_close(loss, expected, rtol=1e-11, atol=1e-11)
    assert float(loss.detach()) == pytest.approx(plain_loss(arguments), rel=1e-10, abs=1e-10)
    ours, theirs = gradients(3 * loss, arguments), gradients(3 * expected, arguments)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_gradients_are_those_of_finite_differences():
    arguments = draw(1)
    # Empty slots have no differences.
    weights = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)

    def loss(positive, products, weights, table):
        leaves = dict(zip(LEAVES, (positive, products, weights, table), strict=True))
        return mixture_loss(**arguments | leaves)

    given = [arguments[name] for name in LEAVES]
    assert gradcheck(loss, (given[0], given[1], weights, given[3]))


@pytest.mark.parametrize("columns", [torch.int32, torch.int64])
def test_single_precision_equals_double(columns):
    double = draw(2, 64, 127, 20, 80)
    single = {
        name: part.detach().float().requires_grad_(name in LEAVES)
        if part.dtype == torch.float64
        else part
        for name, part in double.items()
    }
    single["columns"] = single["columns"].to(columns)
    loss, expected = mixture_loss(**single), mixture_loss_formula(**double)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-5)
    ours, theirs = gradients(loss, single), gradients(expected, double)
    ours = tuple(grad.double() for grad in ours)
    torch.testing.assert_close(ours, theirs, rtol=2e-5, atol=2e-6)


def test_without_slots_it_is_the_contrastive_loss():
    arguments = without(draw(3, n_slots=0), "columns", *PLACED)
    duplicate = arguments["own"].unsqueeze(1) == arguments["negatives"]
    negative = arguments["products"] + arguments["shares"]
    negative = negative.masked_fill(duplicate, -torch.inf)
    logits = torch.cat([arguments["positive"].unsqueeze(1), negative], dim=1)
    first = torch.zeros(len(logits), dtype=torch.long)
    expected = functional.cross_entropy(logits, first, reduction="sum")
    torch.testing.assert_close(mixture_loss(**arguments), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_negatives", [3, 127, 128])
def test_a_row_does_not_depend_on_other_rows(dtype, n_negatives):
    torch.manual_seed(0)
    arguments = draw(4, 40, n_negatives, 5, 11, dtype=dtype)
    whole = gradients(mixture_loss(**arguments), arguments)
    by_row = ("positive", "products", "columns", "own", "weights", "hits", "cells")
    for rows in (torch.tensor([0]), torch.tensor([39]), torch.arange(5, 24), torch.randperm(40)):
        part = arguments | {name: arguments[name][rows] for name in (*by_row, "positive_cells")}
        for name in LEAVES:
            part[name] = part[name].detach().requires_grad_()
        losses = mixture_loss(**part)
        for ours, expected in zip(gradients(losses, part)[:3], whole[:3], strict=True):
            assert torch.equal(ours, expected[rows])
        assert torch.equal(losses, mixture_loss(**part))


def test_far_scores_neither_overflow_nor_vanish():
    arguments = draw(5, dtype=torch.float32)
    for shift in (-1e4, 1e4):
        moved = arguments | {"positive": (arguments["positive"] + shift).detach().requires_grad_()}
        loss, expected = mixture_loss(**moved), mixture_loss_formula(**moved)
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(gradients(loss, moved), gradients(expected, moved))


@pytest.mark.parametrize("name", LEAVES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_no_number_stays_none(name, dtype):
    arguments = draw(6, dtype=dtype)
    arguments["own"] += 100
    with torch.no_grad():
        arguments[name].fill_(torch.nan)
    assert mixture_loss(**arguments).isnan()


@pytest.mark.parametrize("name", ["columns", "cells", "positive_cells"])
@pytest.mark.parametrize("value", [-1, 100])
def test_places_that_do_not_exist_are_refused(name, value):
    arguments = draw(7)
    arguments[name].view(-1)[-1] = value
    with pytest.raises(IndexError, match="does not exist"):
        mixture_loss(**arguments)


@pytest.mark.parametrize("name", ["positive", "own", "shares", "weights", "hits", "columns"])
def test_shapes_that_do_not_agree_are_refused(name):
    arguments = draw(7)
    arguments[name] = arguments[name].detach()[:-1]
    with pytest.raises(ValueError, match="do not agree"):
        mixture_loss(**arguments)


def test_a_table_without_cells_is_refused():
    with pytest.raises(ValueError, match="come together"):
        mixture_loss(**draw(7) | {"cells": None})


def test_too_few_products_are_refused():
    arguments = draw(7) | {"columns": None}
    arguments["products"] = arguments["products"][:, :6]
    with pytest.raises(ValueError, match="fewer products"):
        mixture_loss(**arguments)


def test_other_kinds_of_numbers_take_the_formula():
    arguments = {
        name: part.detach().bfloat16() if part.is_floating_point() else part
        for name, part in draw(8).items()
    }
    assert torch.equal(mixture_loss(**arguments), mixture_loss_formula(**arguments))

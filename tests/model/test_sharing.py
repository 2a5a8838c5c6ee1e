"""Windows of training whose rows are shared by processes, beside the same ones as a whole."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recbole_imn.model import sharing
from recbole_imn.model.terms import ProductTerm, Taste
from recbole_imn.processes.group import Group, _Run
from tests.model.small import START, STOP, make
from tests.processes.together import together

VARIANTS = {
    "IMNNet": ("IMNNet", {}),
    "IMNNetPlus": ("IMNNetPlus", {"n_active_negatives": 6, "id_dropout": 0.5}),
    "attention": ("IMNNetPlus", {"attended_events": 3, "terms": ["taste", "holdings"]}),
    "each row's own": ("IMNNet", {"negatives": "row", "user_drift_weight": 0.3}),
    "in batch": ("IMNNet", {"negatives": "in_batch", "item_drift_weight": 0.3, "cell": "lstm"}),
    "events before": ("IMNNet", {"positive_state": "after", "distance": "euclidean"}),
    "literal": ("IMNNetLiteral", {}),
    "JODIE": ("JODIE", {}),
}


def learned(network, past) -> tuple[int, dict]:
    """Give how many rows a process looks at, and the loss and the gradients of a window."""
    for weight in network.parameters():
        weight.grad = None
    window = network.look_at_lessons(past, START, STOP, [0])
    loss = network.loss(network.unroll(window))
    (loss / 5).backward()
    weights = network.named_parameters()
    found = {name: weight.grad for name, weight in weights if weight.grad is not None}
    return len(window.rows), {"loss": loss.detach(), **found}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", [2, 3])
def test_a_window_in_parts_teaches_what_the_whole_does(
    variant: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, past = make(*VARIANTS[variant])
    n, whole = learned(network, past)
    for limit in ("FEWEST_ROWS", "FEWEST_PAIRS"):
        monkeypatch.setattr(sharing, limit, 0)
    parts = together(lambda rank: learned(network, past), size)
    assert [rows for rows, _ in parts] == [n * (k + 1) // size - n * k // size for k in range(size)]
    for _, found in parts:
        assert found.keys() == whole.keys()
        for name, value in whole.items():
            assert found[name].is_sparse == value.is_sparse
            _compare(found[name], value, parts[0][1][name], name)


def _compare(found, whole, first, name: str) -> None:
    """See that a gradient is that of the whole, of the same rows, and the first process's bits."""
    if whole.is_sparse:
        found, whole, first = (value.coalesce() for value in (found, whole, first))
        # A lazy optimiser moves what is named, whatever its gradient.
        assert torch.equal(found.indices(), whole.indices()), name
        found, whole, first = (value.values() for value in (found, whole, first))
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-5, msg=name)
    assert torch.equal(found, first), name


def test_windows_with_little_to_do_are_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not sharing.shares_rows(10**6, 10**6, True)
    monkeypatch.setattr(_Run, "in_step", True)
    monkeypatch.setattr(_Run, "group", Group(0, 2))
    assert sharing.shares_rows(256, 1, True)
    assert not sharing.shares_rows(128, 10**6, True)
    assert sharing.shares_rows(512, 512, False)
    assert not sharing.shares_rows(256, 127, False)
    monkeypatch.setattr(_Run, "group", Group(0, 17))
    assert not sharing.shares_rows(256, 1, True)


class Own(ProductTerm):
    """A term with a table of its own, which only its queries read."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.table = nn.Embedding(3, 2, sparse=True)


def test_a_term_that_reads_a_table_by_itself_is_not_split() -> None:
    network, _ = make("IMNNetPlus", {})
    assert all(map(sharing.can_be_split, network.products.values()))
    assert sharing.sparse_tables(network.products["taste"])
    assert isinstance(network.products["taste"], Taste)
    assert not sharing.can_be_split(Own())

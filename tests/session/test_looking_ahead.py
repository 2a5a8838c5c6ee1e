"""Training that looks up its next window while processes exchange gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from recbole_imn.model import sharing
from recbole_imn.processes import loss as losses
from recbole_imn.processes.group import Group, _Run
from recbole_imn.session import Session
from tests.model.small import make

# The next one, a shorter one, the next, the last, another pass, one elsewhere, and its last.
WINDOWS = [(0, 25), (25, 50), (50, 70), (70, 90), (90, 100), (0, 25), (50, 80), (80, 100)]
N_TRAINING = 100


@pytest.fixture(autouse=True)
def one_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process that trains as if another had found the same gradients."""

    def total(packed: Tensor, meanwhile: Callable[[], None]) -> Tensor:
        meanwhile()
        return 2 * packed

    monkeypatch.setattr(losses, "total", total)
    monkeypatch.setattr(_Run, "group", Group(0, 2))
    monkeypatch.setattr(_Run, "in_step", True)
    for limit in ("FEWEST_ROWS_EACH", "FEWEST_PAIRS"):
        monkeypatch.setattr(sharing, limit, 0)


def trained(ahead: bool) -> tuple[list[float], list[Tensor], int]:
    """Give losses, weights, and how many windows had been looked up when they were asked for."""
    network, past = make("IMNNet", {})
    session = Session(network, past, N_TRAINING)
    if not ahead:
        session._look_ahead = lambda start, stop: None
    found, n_ready = [], 0
    for start, stop in WINDOWS:
        passes = session.passes + (start == 0)
        key = start, stop, passes, *session._asked(start, stop)[3:]
        n_ready += session._ahead is not None and session._ahead[0] == key
        network.zero_grad()
        loss = session.train(start, stop)
        loss.backward()
        with torch.no_grad():
            for weight in network.parameters():
                if weight.grad is not None:
                    weight.sub_(weight.grad, alpha=1e-3)
        found.append(float(loss.detach()))
    assert session.past.position <= N_TRAINING
    return found, [weight.detach().clone() for weight in network.parameters()], n_ready


def test_it_trains_as_without() -> None:
    found, weights, n_ready = trained(ahead=True)
    expected, others, none = trained(ahead=False)
    assert (n_ready, none) == (4, 0)
    assert found == expected
    assert all(map(torch.equal, weights, others))

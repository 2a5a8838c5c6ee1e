"""Several processes played by one: what each would send is found first, and the sum given then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from torch import Tensor

from recbole_imn.processes import loss as losses
from recbole_imn.processes.group import Group, _Run

Found = TypeVar("Found")


def together(of_rank: Callable[[int], Found], size: int) -> list[Found]:
    """Give what each rank finds, where all of them go in step and exchange one tensor."""
    sent: list[Tensor] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Run, "in_step", size > 1)

        def all_ranks() -> list[Found]:
            found = []
            for rank in range(size):
                patch.setattr(_Run, "group", Group(rank, size))
                found.append(of_rank(rank))
            return found

        def send(packed: Tensor, meanwhile: object) -> Tensor:
            sent.append(packed.clone())
            return packed

        patch.setattr(losses, "total", send)
        all_ranks()
        assert len(sent) == size
        summed = sum(sent[1:], sent[0])
        patch.setattr(losses, "total", lambda packed, meanwhile: summed)
        return all_ranks()

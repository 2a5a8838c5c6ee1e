"""Whose rows are whose of tables that the processes of a machine have in common."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.errors import SettingsError
from recbole_imn.processes.common import Place, in_common, own_place, own_rows, zeros_in_common
from recbole_imn.processes.group import Group, Member, _Run
from recbole_imn.trainer import IMNNetTrainer

MEMBERS = tuple(Member(rank, 10 + rank, host) for rank, host in enumerate("abab"))


@pytest.mark.parametrize(("rank", "number", "first"), [(0, 0, 0), (1, 0, 1), (2, 1, 0), (3, 1, 1)])
def test_places_are_those_of_a_machine(
    rank: int, number: int, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Run, "group", Group(rank, 4, MEMBERS))
    assert own_place() == Place(number, 2, first)


@given(st.lists(st.integers(0, 8), max_size=20), st.integers(1, 4))
def test_gradients_are_parted_by_rows(rows: list[int], size: int) -> None:
    values = torch.arange(3.0 * len(rows)).view(len(rows), 3)
    places = torch.tensor([rows], dtype=torch.int64)
    grad = torch.sparse_coo_tensor(places, values, (9, 3), check_invariants=True)
    parts = [own_rows(grad, Place(number, size, 0)) for number in range(size)]
    assert torch.equal(sum(part.to_dense() for part in parts), grad.to_dense())
    seen = [set(part._indices()[0].tolist()) for part in parts]
    assert sum(map(len, seen)) == len(set(rows))
    for part in parts:
        # The order of a row's own gradients decides about the last bits of their sum.
        assert (part._values()[:, 0].diff() > 0).all()


@given(st.integers(0, 30), st.integers(1, 5))
def test_every_row_is_brought_up_to_date_by_one(n: int, size: int) -> None:
    rows = [Place(number, size, 0).rows(n) for number in range(size)]
    assert [row for some in rows for row in range(some.start, some.stop)] == list(range(n))


@pytest.mark.parametrize("shape", [(3, 2), (4,), (0, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.int32])
def test_what_is_in_common_has_its_values(
    shape: tuple[int, ...], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Run, "group", Group(members=MEMBERS[:1]))
    values = (torch.rand(shape) * 9).to(dtype)
    common = in_common(values)
    assert common.dtype == dtype
    assert torch.equal(common, values)
    assert torch.equal(zeros_in_common(shape, dtype), torch.zeros_like(values))


def test_a_system_without_such_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Run, "group", Group(members=MEMBERS[:1]))
    monkeypatch.delattr("os.memfd_create")
    with pytest.raises(SettingsError, match="share_tables is True"):
        in_common(torch.ones(2))


def test_memory_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Run, "group", Group(members=MEMBERS[:1]))
    monkeypatch.setattr("recbole_imn.processes.common.all_of", lambda path: ["/proc/none/fd/7"])
    with pytest.raises(SettingsError, match="process 0 cannot open") as raised:
        in_common(torch.ones(2))
    assert "\n" not in str(raised.value)


def test_tables_of_gpus_are_not_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = IMNNetTrainer.__new__(IMNNetTrainer)
    trainer.config, trainer.device = {"share_tables": True, "model": "IMNNet"}, torch.device("cpu")
    assert trainer._place_on_machine() is None
    monkeypatch.setattr(_Run, "group", Group(2, 4, MEMBERS))
    assert trainer._place_on_machine() == Place(1, 2, 0)
    trainer.device = torch.device("cuda:0")
    with pytest.raises(SettingsError, match="IMNNet is on cuda:0"):
        trainer._place_on_machine()

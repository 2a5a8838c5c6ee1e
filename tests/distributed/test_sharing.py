"""Which rows and batches are whose, without other processes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.data.dataloader import FullSortEvalDataLoader
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from recbole_imn.distributed import evaluation, settings, training
from recbole_imn.distributed.by_rows import Part
from recbole_imn.distributed.dropout import masks_of_whole_batch
from recbole_imn.errors import DifferentWeightsError, SettingsError
from recbole_imn.processes import rows
from recbole_imn.processes.group import Group, _Run


@given(st.integers(0, 500), st.integers(1, 9))
def test_every_row_is_somebodys(n: int, size: int) -> None:
    shares = [rows.share(n, rank, size) for rank in range(size)]
    assert np.concatenate([np.arange(n)[share] for share in shares]).tolist() == list(range(n))
    lengths = [share.stop - share.start for share in shares]
    assert max(lengths) - min(lengths) <= 1


@given(st.integers(1, 40), st.integers(1, 9))
def test_weights_of_parts_add_up_and_nobody_is_without_rows(n: int, size: int) -> None:
    parts = []
    with pytest.MonkeyPatch.context() as patch:
        for rank in range(size):
            patch.setattr(_Run, "group", Group(rank, size))
            parts.append(Part(n))
    assert sum(part.weight for part in parts) == pytest.approx(1)
    assert all(part.rows.stop > part.rows.start for part in parts)
    assert sum(part.rows.stop - part.rows.start for part in parts if part.weight) == n


@given(st.integers(1, 12), st.integers(1, 3), st.integers(1, 4), st.integers(0, 5))
def test_parts_are_dropped_as_the_whole_is(n: int, places: int, size: int, seed: int) -> None:
    values = torch.rand(n * places, 3) + 1
    layer = nn.Dropout(0.4)
    torch.manual_seed(seed)
    whole = layer(values)
    after = torch.get_rng_state()
    for rank in range(size):
        part = rows.share(n, rank, size)
        if part.start == part.stop:
            continue
        own = slice(part.start * places, part.stop * places)
        torch.manual_seed(seed)
        with masks_of_whole_batch(part, n):
            assert torch.equal(layer(values[own]), whole[own])
        assert torch.equal(torch.get_rng_state(), after)


def test_dropout_of_what_is_of_no_row_is_refused() -> None:
    original = functional.dropout
    with (
        pytest.raises(SettingsError, match="5 places of 2 rows"),
        masks_of_whole_batch(slice(0, 2), 4),
    ):
        functional.dropout(torch.ones(5), 0.5)
    assert functional.dropout is original


class Toy(FullSortEvalDataLoader):
    """Batches of three of ten rows."""

    def __init__(self) -> None:
        self._dataset = list(range(10))
        self.sample_size, self.step, self.shuffle = 10, 3, False
        DataLoader.__init__(self, self._dataset, 3, collate_fn=self.collate_fn)

    def collate_fn(self, index: list[int]) -> list[int]:
        return list(index)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_batch_is_ranked_once(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loader, found = Toy(), []
    for rank in range(size):
        monkeypatch.setattr(_Run, "group", Group(rank, size))
        own = evaluation.own_batches(loader)
        assert isinstance(own, FullSortEvalDataLoader)
        batches = list(own)
        assert len(own) == len(batches)
        # RecBole would leave an empty loader out, and this process with it.
        assert own
        found += batches
    assert sorted(found) == sorted(loader)
    assert len(found) == 4


@pytest.mark.parametrize("size", [1, 2, 3])
def test_searches_share_their_batches(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loader, numbers, found = Toy(), [0, 2, 3], {}
    for rank in range(size):
        monkeypatch.setattr(_Run, "group", Group(rank, size))
        chosen = evaluation.chosen_batches(loader, numbers, first=True)
        own = dict(chosen)
        assert len(chosen) == len(own)
        assert 0 in own
        found.update(own)
    assert found == {0: [0, 1, 2], 2: [6, 7, 8], 3: [9]}


def test_pieces_are_cut_at_their_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces, held = evaluation._Pieces([0, 2]), {"rec.topk": torch.arange(2)}
    pieces.note(held)
    held["rec.topk"] = torch.arange(5)
    pieces.note(held)
    other = {1: {"rec.topk": torch.tensor([7, 8])}}
    monkeypatch.setattr(
        evaluation,
        "join_numbered",
        lambda own: [{**own, **other}[number] for number in sorted({**own, **other})],
    )
    pieces.join(held)
    assert held["rec.topk"].tolist() == [0, 1, 7, 8, 2, 3, 4]


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.distributed, "is_nccl_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert settings.own_gpu("0") == "1"
    assert settings.own_gpu((3, 5)) == "5"
    assert settings.own_gpu("") == ""
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(SettingsError, match="3 processes of this machine have 2 GPUs"):
        settings.own_gpu("0")


def test_trainings_of_their_own_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(training.Trainer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.config, self.model = {"model": "GRU4Rec"}, nn.Linear(1, 1)

        def fit(self) -> None:
            """Train in some way."""

    monkeypatch.setattr(_Run, "group", Group(0, 2))
    with pytest.raises(SettingsError, match="a training of its own"):
        training._check(Own())
    plain = SimpleNamespace(config={"model": "IMNNet"}, model=None)
    training._check(plain)


def test_other_weights_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    other.load_state_dict(one.state_dict())
    other.bias.data[1] = torch.nextafter(other.bias.data[1], torch.tensor(9.0))
    digests = [
        [training._digest(weight) for weight in model.parameters()] for model in (one, other)
    ]
    monkeypatch.setattr(training, "join_numbered", lambda own: [*own.values(), digests[1]])
    with pytest.raises(DifferentWeightsError, match=r"process 1 has .* \(bias\)"):
        training.require_same_weights(one, 4)
    monkeypatch.setattr(training, "join_numbered", lambda own: [*own.values(), digests[0]])
    training.require_same_weights(one, 4)

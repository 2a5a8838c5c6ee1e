"""A shop whose recommender the commands open."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from recbole_imn.__main__ import main
from recbole_imn.serving import Recommender
from recbole_imn.serving.commands.export import job


@pytest.fixture
def command(shop, capsys, monkeypatch):
    """Give a function that runs a command on the shop's checkpoint, and what it prints."""
    # As wide on every machine.
    monkeypatch.setenv("COLUMNS", "100")

    def run(name: str, *options: str) -> SimpleNamespace:
        capsys.readouterr()
        status = main([name, str(shop.file), *options])
        printed = capsys.readouterr()
        return SimpleNamespace(status=status, out=printed.out, err=printed.err)

    return run


@pytest.fixture
def recommender(shop) -> Recommender:
    """The same checkpoint, opened."""
    return shop.recommender()


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of 7 users, scored 3 at a time."""
    monkeypatch.setattr(job, "PART_USERS", 7)
    monkeypatch.setattr(job, "BATCH", 3)


def read(file: Path) -> pd.DataFrame:
    """Read an export of any format, as frames of a recommender are."""
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    if file.suffix == ".csv":
        return pd.read_csv(file, dtype={"user": "str", "item": "str"})
    lines = file.read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines])


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare frames, every number to its last bit."""
    assert list(found.columns) == list(expected.columns)
    assert len(found) == len(expected) > 0
    for name in expected:
        assert found[name].tolist() == expected[name].tolist(), name

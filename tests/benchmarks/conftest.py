"""Benchmarks with real runs, which are made in this process."""

import pytest

from recbole_imn.evaluation.benchmark import conduct
from tests.runs import in_this_process


@pytest.fixture(autouse=True)
def runs_here(monkeypatch):
    monkeypatch.setattr(conduct, "Process", in_this_process)

"""Memory of logs: what is counted is there."""

import sys

import numpy as np

from benchmarks import memory


def test_synthetic_logs_have_many_rare_items():
    columns = memory.synthetic(20_000)
    counts = np.bincount(columns["item"], minlength=columns["n_items"])
    assert counts[0] == 0
    assert counts[1:11].sum() > counts[200:211].sum() * 5
    assert columns["user"].max() < columns["n_users"]


def test_counted_bytes_are_those_of_the_arrays():
    of_log, of_past, _ = memory.measure(memory.synthetic(10_000))
    assert of_log == 10_000 * (4 + 4 + 8 + 2 + 1)
    # Five chains of int32, at least two places of a table for each of the pairs, and the heads.
    assert of_past > 10_000 * 5 * 4


def test_a_tiny_run_writes_the_table(toy, monkeypatch):
    out = toy / "results" / "memory.md"
    options = ["--dataset=toy", f"--data_path={toy}", "--events=2000", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", ["memory", *options])
    assert memory.main() == 0
    text = out.read_text(encoding="utf-8")
    assert "| toy | 300 | 13 | 21 | 19.0 | " in text
    assert "| synthetic | 2,000 | 101 | 41 | 19.0 | " in text

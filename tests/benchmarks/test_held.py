"""Before and after: means over seeds, and differences on the same rows."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import held

USERS = [f"u{row % 10}" for row in range(40)]


def write(folder, ranks, model="IMNNet", fingerprint="sha256:a", users=USERS):
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    for seed, rank in enumerate(ranks, 1):
        about = {
            "model": model, "seed": seed, "dataset": "toy", "fingerprint": fingerprint,
            "environment": {"commit": f"{folder.name}0123456789"},
        }  # fmt: skip
        table = pd.DataFrame({"event_index": range(40), "user": users, "item": "i"})
        table = table.assign(rank=np.asarray(rank, float), ties=0, candidates="all")
        file = folder / "runs" / f"{model}-{seed}.json"
        file.write_text(json.dumps(about))
        table.to_parquet(file.with_suffix(".parquet"), index=False)
    return folder


def run(monkeypatch, before, after, *options):
    arguments = ["held", f"--before={before}", f"--after={after}", *options]
    monkeypatch.setattr(sys, "argv", arguments)
    return held.main()


def test_differences_are_means_over_rows_and_seeds(tmp_path, monkeypatch, capsys):
    ones, threes = np.ones(40), np.full(40, 3)
    half = np.where(np.arange(40) % 10 < 5, 1, 3)
    before = write(tmp_path / "before", [threes, threes])
    after = write(tmp_path / "after", [half, half, ones])
    write(before, [ones], "SASRec")
    write(after, [half], "SASRec")
    out = tmp_path / "results" / "held.md"
    assert run(monkeypatch, before, after, f"--out={out}") == 0
    text = out.read_text()
    assert "Before: commits before0. After: commits after01." in text
    # A rank of 3 is worth one half; the third seed has no partner.
    assert "| IMNNet | 2 | 0.5000 ± 0.0000 | 0.7500 ± 0.0000 | +0.2500 [+0." in text
    line = next(line for line in text.splitlines() if line.startswith("| SASRec"))
    assert "-0.2500" in line
    assert line.endswith("| no |")
    assert capsys.readouterr().out.strip() == text.strip()


def test_the_interval_resamples_whole_users(tmp_path):
    users = np.array(USERS)
    rank = np.where(np.isin(users, ["u0", "u1", "u2"]), 1, 3)
    read = [
        held.read(write(tmp_path / name, [ranks]), "all")["IMNNet"][1]
        for name, ranks in (("a", np.full(40, 3)), ("b", rank))
    ]
    figure = held.difference([read[0]], [read[1]])
    half = 1.96 * np.std(0.5 * (rank[:10] == 1)) / np.sqrt(10)
    assert figure.mean == pytest.approx(0.15)
    assert (figure.low, figure.high) == pytest.approx((0.15 - half, 0.15 + half), abs=0.03)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"fingerprint": "sha256:b"}, "have not the same fingerprint"),
        ({"users": USERS[::-1]}, "ranked other rows: column user differs"),
        ({"model": "SASRec"}, "have no model in common"),
    ],
)
def test_what_cannot_be_compared_is_one_line(tmp_path, monkeypatch, capsys, other, message):
    before = write(tmp_path / "before", [np.ones(40)])
    after = write(tmp_path / "after", [np.ones(40)], **other)
    assert run(monkeypatch, before, after) == 2
    assert message in capsys.readouterr().err
    assert run(monkeypatch, before, tmp_path / "nothing") == 2
    assert "has no finished run" in capsys.readouterr().err

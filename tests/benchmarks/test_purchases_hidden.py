"""Purchases known against hidden: what is hidden from whom, and a tiny run."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import purchases_hidden
from benchmarks.derived_logs import ITEM, PURCHASE, TIME, USER
from benchmarks.prepared import prepare
from benchmarks.purchases_hidden import (
    BEHAVIOUR,
    HiddenLog,
    blind,
    without_flags,
    without_purchases,
)
from recbole_imn import provenance


def some_log(n=600, seed=0):
    rng = np.random.default_rng(seed)
    bought = rng.random(n) < 0.2
    done = np.where(bought, "buy", np.where(rng.random(n) < 0.3, "cart", "view"))
    columns = {
        USER: rng.integers(1, 20, n).astype(str),
        ITEM: rng.integers(1, 30, n).astype(str),
        TIME: (np.arange(n) * 20_000).astype(str),
        BEHAVIOUR: done,
        PURCHASE: bought.astype(int).astype(str),
    }
    return pd.DataFrame(columns)


@pytest.fixture
def shop(tmp_path):
    purchases_hidden.write_log(some_log(), tmp_path / "data" / "shop")
    return tmp_path / "data" / "shop"


def test_what_is_hidden_is_hidden_and_nothing_else():
    log = some_log()
    others = [USER, ITEM, TIME]
    for hide in (without_flags, without_purchases):
        assert hide(log)[others].equals(log[others])
        assert (hide(log)[PURCHASE] == "0").all()
    assert without_flags(log)[BEHAVIOUR].equals(log[BEHAVIOUR])
    hidden = without_purchases(log)[BEHAVIOUR]
    assert (hidden[log[BEHAVIOUR] == "buy"] == "view").all()
    assert hidden[log[BEHAVIOUR] != "buy"].equals(log[BEHAVIOUR][log[BEHAVIOUR] != "buy"])


def test_a_blind_pointer_sees_no_purchase_and_the_rest_does(shop):
    small = {"embedding_size": 8, "train_batch_size": 64}
    made = prepare("shop", shop.parent, "IMNNetPlus", **small)
    log, past = made.dataset.log, made.dataset.past
    rows = past.look_at_events(np.arange(300, 400))
    before = made.network.pointer.look(past, rows)
    names = made.dataset.id2token("behavior", before.behaviours[before.items > 0].numpy())
    assert "buy" in names
    blind(made.network.pointer, log)
    after = made.network.pointer.look(past, rows)
    names = made.dataset.id2token("behavior", after.behaviours[after.items > 0].numpy())
    assert set(names) == {"view", "cart"}
    assert (after.items == before.items).all()
    assert past.log is log
    assert log.purchase.any()
    # The column that tells whether an item's latest event was a purchase, and no other.
    moved = (after.numbers != before.numbers).any(dim=0).any(dim=0)
    assert moved.nonzero().flatten().tolist() == [7]
    assert not HiddenLog(log).purchase.any()


def run(monkeypatch, shop, out, *options):
    given = [f"--data_path={shop.parent}", "--dataset=shop", "--seeds=1", "--epochs=1"]
    monkeypatch.setattr(sys, "argv", ["purchases_hidden.py", *given, f"--out={out}", *options])
    return purchases_hidden.main()


def test_a_tiny_experiment_runs_and_goes_on(shop, tmp_path, monkeypatch, capsys):
    out = tmp_path / "results" / "hidden"
    assert run(monkeypatch, shop, out) == 0
    records = [json.loads(file.read_text()) for file in sorted(out.glob("shop/*.json"))]
    assert len(records) == 6
    assert all(record["events"] == records[0]["events"] for record in records)
    assert len({tuple(record["ranks"]) for record in records}) == 6
    page = out.with_name("hidden.md").read_text()
    assert page.count("| target is a purchase |") == 4
    targets = next(record for record in records if record["run"]["hidden"] == "known")
    n = sum(targets["target is a purchase"])
    assert 0 < n < len(targets["ranks"])
    assert f"| target is a purchase | {n} | 1 |" in page

    def never(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(purchases_hidden, "train", never)
    # Written by another commit, the page still names that of the runs.
    monkeypatch.setattr(provenance, "commit", lambda *_: "later")
    assert run(monkeypatch, shop, out) == 0
    assert out.with_name("hidden.md").read_text() == page
    capsys.readouterr()
    assert run(monkeypatch, shop, out, "--epochs=2") == 2
    assert "choose another --out" in capsys.readouterr().err

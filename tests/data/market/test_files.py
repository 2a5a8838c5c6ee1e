"""Atomic files of a simulated market."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from recbole_imn.__main__ import main
from recbole_imn.data.market import MarketConfig, files, simulate, write_market
from recbole_imn.data.simulated import simulated_notice


@pytest.fixture(scope="module")
def log():
    return simulate(MarketConfig.named("czb-mini"))


def read(folder, suffix):
    return pd.read_csv(folder / f"czb-mini.{suffix}", sep="\t", dtype=str, keep_default_na=False)


def test_files_hold_the_log(log, tmp_path):
    write_market(log, tmp_path, "czb-mini")
    inter, item, user = (read(tmp_path, suffix) for suffix in ("inter", "item", "user"))
    assert inter["timestamp:float"].astype(int).tolist() == log.events["time"].tolist()
    bought = inter["behavior:token"] == "trade"
    assert (inter["purchase:float"].astype(int) == bought).all()
    assert set(inter["item_id:token"]) == set(item["item_id:token"])
    assert set(inter["user_id:token"]) == set(user["user_id:token"])
    images = item["image:float_seq"].str.split().tolist()
    np.testing.assert_allclose(np.array(images, float), log.cars.image, atol=1e-4)
    starts, ends = (item[f"{name}:float_seq"].str.split() for name in ("listed_at", "delisted_at"))
    assert (starts.str.len() == ends.str.len()).all()
    assert starts.str.len().sum() == len(log.listings)


def test_the_config_can_be_read_back(log, tmp_path):
    write_market(log, tmp_path, "czb-mini")
    assert files.read_config(tmp_path, "czb-mini") == log.config
    about = json.loads((tmp_path / "czb-mini.market.json").read_text())
    assert about["simulated"] is True
    notice = simulated_notice(tmp_path, "czb-mini")
    assert "SIMULATED data (seed 1" in notice
    assert "market version 2, latent tastes" in notice
    assert simulated_notice(tmp_path, "another") is None


def test_a_broken_write_leaves_the_old_files(log, tmp_path, monkeypatch):
    write_market(log, tmp_path, "czb-mini")
    before = (tmp_path / "czb-mini.inter").read_bytes()
    monkeypatch.setattr(files, "_event_table", lambda log: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_market(log, tmp_path, "czb-mini")
    assert (tmp_path / "czb-mini.inter").read_bytes() == before


def test_two_runs_may_write_the_same_market_at_once(log, tmp_path, monkeypatch):
    write_market(log, tmp_path, "czb-mini")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    replace = os.replace

    def meanwhile(*paths):
        monkeypatch.setattr(os, "replace", replace)
        write_market(log, tmp_path, "czb-mini")
        replace(*paths)

    monkeypatch.setattr(os, "replace", meanwhile)
    write_market(log, tmp_path, "czb-mini")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_write_that_breaks_off_leaves_nothing_behind(log, tmp_path, monkeypatch):
    def full_disk(*paths):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_market(log, tmp_path, "czb-mini")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_a_market_and_prints_its_table(tmp_path, capsys):
    arguments = ["simulate", "czb-mini", "--seed=4", "--resource-strength=0.5"]
    assert main([*arguments, f"--output={tmp_path}", "--save-as=mine"]) == 0
    assert "SIMULATED market, seed 4, resource strength 0.5" in capsys.readouterr().out
    config = files.read_config(tmp_path / "mine", "mine")
    assert (config.seed, config.resource_strength) == (4, 0.5)


def test_the_command_refuses_impossible_values_in_one_line(tmp_path, capsys):
    assert main(["simulate", "czb", "--scale=0", f"--output={tmp_path}"]) == 2
    assert capsys.readouterr().err == "error: scale is 0.0; it must be above 0 and at most 10\n"
    assert not list(tmp_path.iterdir())


def test_a_market_replaces_no_real_log(tmp_path, capsys):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shop.inter").write_text("real\n")
    arguments = ["simulate", "czb-mini", "--scale=0.1", f"--output={tmp_path}"]
    assert main([*arguments, "--save-as=shop"]) == 2
    assert "shop.inter is not simulated; choose another name" in capsys.readouterr().err
    assert (tmp_path / "shop" / "shop.inter").read_text() == "real\n"
    assert main([*arguments, "--save-as=a/b"]) == 2
    assert "--save-as is 'a/b'; it must be a plain name" in capsys.readouterr().err

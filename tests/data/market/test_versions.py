"""Markets that results are on stay as they are, bit for bit."""

import hashlib
import json
from dataclasses import asdict

import pytest

from recbole_imn.__main__ import main
from recbole_imn.data.market import MarketConfig, read_config, simulate, write_market
from recbole_imn.errors import DataError

# First digits of the SHA-256 of .inter, .item and .user, taken before there was a version 2.
FINGERPRINTS = {
    ("czb-mini", 1, 1.0, None): ("deafa28fbecd2556", "bd1202739c53470a", "47484bd1670731f9"),
    ("czb-mini", 2, 0.0, None): ("b7ea7e0a26812e46", "eb43f4ba14d58834", "0d29bea3cec38fda"),
    ("czb", 2, 0.5, 0.02): ("ee2311774e95c2d4", "4e4b18b67d2b851d", "0bd6c491ca286dba"),
    # czb005 of the results.
    ("czb", 1, 1.0, 0.05): ("0062f71cff482460", "c55cf8f59d9a7629", "f20f2ca34fccee0a"),
    ("czb", 5, 1.0, 0.1): ("b51c5bbe6b42dafc", "40726dd38c5145a0", "101c0b39fe6999e9"),
}
# Of version 2, taken when it was made.
LATENT = {
    ("czb-mini", 1, 1.0, None): ("25805b28d0656738", "10861cc581c7dcc4", "47484bd1670731f9"),
    ("czb-mini", 2, 0.0, None): ("422363451286b1b8", "2c75db77709e5a19", "0d29bea3cec38fda"),
    ("czb", 1, 1.0, 0.05): ("e1e91d0356493d3f", "84fcab40caea7a06", "f20f2ca34fccee0a"),
    ("czb", 5, 4.0, 0.1): ("1a40adf4267ad9c7", "b3a501ce80baa7fe", "101c0b39fe6999e9"),
}


def fingerprints(folder, name):
    files = [folder / f"{name}.{suffix}" for suffix in ("inter", "item", "user")]
    return tuple(hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files)


def made(market, version, folder):
    name, seed, strength, scale = market
    config = MarketConfig.named(name, seed, strength, version=version)
    config = config if scale is None else config.scaled(scale)
    write_market(simulate(config), folder, "m")
    return fingerprints(folder, "m")


@pytest.mark.parametrize("market", FINGERPRINTS)
def test_version_1_is_what_it_was_bit_for_bit(market, tmp_path):
    assert made(market, 1, tmp_path) == FINGERPRINTS[market]


@pytest.mark.parametrize("market", LATENT)
def test_version_2_is_what_it_was_bit_for_bit(market, tmp_path):
    assert made(market, 2, tmp_path) == LATENT[market]


def test_the_command_makes_either_version_and_says_which(tmp_path, capsys):
    assert main(["simulate", "czb-mini", "--version=1", f"--output={tmp_path}"]) == 0
    assert "version 1, linear tastes" in capsys.readouterr().out
    first = fingerprints(tmp_path / "czb-mini", "czb-mini")
    assert first == FINGERPRINTS["czb-mini", 1, 1.0, None]
    assert main(["simulate", "czb-mini", f"--output={tmp_path}"]) == 0
    assert "version 2, latent tastes" in capsys.readouterr().out
    assert fingerprints(tmp_path / "czb-mini", "czb-mini")[0] != first[0]
    assert main(["simulate", "czb-mini", "--taste=linear", f"--output={tmp_path}"]) == 0
    assert "version 2, linear tastes" in capsys.readouterr().out


def test_a_record_without_a_version_is_of_version_1(tmp_path):
    config = MarketConfig.named("czb-mini", version=1)
    new = ("version", "taste", "n_buyer_types", "n_factors", "latent_scale", "need_spread",
           "patience_days", "resell_share", "return_share_later", "least_days_away",
           "mean_days_away")  # fmt: skip
    old = {name: value for name, value in asdict(config).items() if name not in new}
    (tmp_path / "m.market.json").write_text(json.dumps({"simulated": True, "market": old}))
    assert read_config(tmp_path, "m") == config


def test_a_record_of_version_1_with_what_it_never_had_is_refused(tmp_path):
    values = {**asdict(MarketConfig.named("czb-mini", version=1)), "taste": "latent"}
    (tmp_path / "m.market.json").write_text(json.dumps({"simulated": True, "market": values}))
    with pytest.raises(DataError, match="version 1 of the market has 'linear' alone"):
        read_config(tmp_path, "m")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": 3}, "version is 3; it must be one of 1 or 2"),
        ({"version": 1, "taste": "latent"}, "taste is 'latent', but version 1 of the market has"),
        ({"taste": "cubic"}, "taste is 'cubic'; it must be one of 'linear' or 'latent'"),
        ({"resource_strength": 4.5}, "resource_strength is 4.5; it must be in 0..4"),
    ],
)
def test_markets_that_no_version_has_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        MarketConfig.named("czb", **values)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_all_strengths_of_the_experiment_are_allowed(version, strength):
    config = MarketConfig.named("czb", 1, strength, version=version)
    assert (config.resource_strength, config.version) == (strength, version)

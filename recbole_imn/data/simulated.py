"""Data sets that are simulated on first use."""

from __future__ import annotations

from logging import Logger
from pathlib import Path

from recbole_imn.data.market import MarketConfig, read_config, simulate, write_market
from recbole_imn.validation import nearest

SIMULATED = ("czb", "czb-mini")


def is_simulated(name: str) -> bool:
    """Whether a data set of this name is made by the market simulator."""
    return name in SIMULATED


def nearest_data_set(name: str, data_path: Path) -> str:
    """Give a hint at the data set there, or the simulated one, whose name is most like another."""
    there = [folder.name for folder in data_path.iterdir()] if data_path.is_dir() else []
    logs = [known for known in there if (data_path / known / f"{known}.inter").is_file()]
    return nearest(name, {*logs, *SIMULATED})


def simulated_notice(folder: Path, name: str) -> str | None:
    """Say that a data set is simulated and how, or give None for other data sets."""
    if not (folder / f"{name}.market.json").is_file():
        return None
    config = read_config(folder, name)
    return (
        f"{name} is SIMULATED data (seed {config.seed}, resource strength "
        f"{config.resource_strength:g}, {config.n_users:,} users, market version "
        f"{config.version}, {config.taste} tastes); "
        "results say nothing about a real platform"
    )


def make_simulated(name: str, folder: Path, logger: Logger) -> None:
    """Simulate a market and write its atomic files, saying that it is simulated.

    Parameters
    ----------
    name : str
        One of ``SIMULATED``.
    folder : Path
        Where the files go.
    logger : Logger
        Told what happens.
    """
    logger.warning(
        f"{name}: the real CheZhiBao log is not public; "
        f"simulating a market of its shape in {folder}"
    )
    write_market(simulate(MarketConfig.named(name), progress=True), folder, name)

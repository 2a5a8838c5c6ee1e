"""Writing a simulated market as atomic files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_imn.data.market.config import FIXED_IN_1, MarketConfig
from recbole_imn.data.market.simulation import MarketLog
from recbole_imn.data.publishing import Workspace, settle
from recbole_imn.errors import DataError, one_line
from recbole_imn.files import read_json
from recbole_imn.log import Floats, Integers

# What a market's own files are called, and what describes an earlier one.
FILES = ("market.json", "user", "item", "inter")
REPORTS = ("report.html", "report.json")


def write_market(log: MarketLog, folder: Path, name: str) -> None:
    """Write NAME.inter, NAME.item, NAME.user and NAME.market.json.

    Times are whole seconds since 2019-05-01 00:00 China time: below 2**24, and so exact and
    in order even where a reader keeps them as float32. The files take the place of earlier ones
    as one unit, so that a broken run leaves no half data set; reports of earlier ones go.

    Parameters
    ----------
    log : MarketLog
    folder : Path
        Made if it does not exist.
    name : str
        Name of the data set.

    Raises
    ------
    DataError
        If there is a log of this name that is not simulated.
    """
    about = {"simulated": True, "market": asdict(log.config)}
    with Workspace(folder, name) as work:
        refuse_real_log(folder, name)
        _write(work.path("market.json"), json.dumps(about, indent=2) + "\n")
        _write(work.path("user"), _text(_user_table(log)))
        _write(work.path("item"), _text(_item_table(log)))
        _write(work.path("inter"), _text(_event_table(log)))
        work.publish(*REPORTS, *FILES)


def refuse_real_log(folder: Path, name: str) -> None:
    """Raise if a market would replace files that are not simulated.

    Raises
    ------
    DataError
    """
    settle(folder, name)
    if (folder / f"{name}.market.json").exists():
        return
    for suffix in ("inter", "item", "user"):
        file = folder / f"{name}.{suffix}"
        if file.exists():
            raise DataError(f"{file} is not simulated; choose another name for the market")


def read_config(folder: Path, name: str) -> MarketConfig:
    """Read back the config of a market that was written to a folder.

    A record without a version is of version 1.

    Raises
    ------
    DataError
        If the record is damaged.
    """
    file = folder / f"{name}.market.json"
    about = read_json(file, DataError)
    try:
        values = about["market"]
        earlier = {} if "version" in values else {"version": 1, **FIXED_IN_1}
        return MarketConfig(**{**earlier, **values})
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{file} is no record of a simulated market ({one_line(error)}); simulate "
            "it again, or move it away if the data are no market"
        ) from error


def _event_table(log: MarketLog) -> pd.DataFrame:
    events = log.events
    return pd.DataFrame(
        {
            "user_id:token": events["user"],
            "item_id:token": events["car"],
            "timestamp:float": events["time"],
            "behavior:token": events["action"],
            "purchase:float": (events["action"] == "trade").astype(int),
            "price:float": log.cars.price[events["car"]].astype(np.int64),
            "strategy:token": events["strategy"],
            "shelf_size:float": events["shelf_size"],
            "session_position:float": events["session_position"],
        }
    )


def _item_table(log: MarketLog) -> pd.DataFrame:
    cars, listings = log.cars, log.listings
    return pd.DataFrame(
        {
            "item_id:token": np.arange(log.config.n_cars),
            "brand:token": _named("brand", cars.brand),
            "type:token": _named("type", cars.type),
            "registration_year:float": cars.year,
            "mileage:float": cars.mileage.astype(np.int64),
            "city:token": _named("city", cars.city),
            "price:float": cars.price.astype(np.int64),
            "image:float_seq": _joined(cars.image),
            "listed_at:float_seq": _joined_by_car(listings, "start"),
            "delisted_at:float_seq": _joined_by_car(listings, "end"),
        }
    )


def _user_table(log: MarketLog) -> pd.DataFrame:
    users = log.users
    return pd.DataFrame(
        {
            "user_id:token": np.arange(log.config.n_users),
            "city:token": _named("city", users.city),
            "kind:token": np.where(users.dealer, "dealer", "private"),
        }
    )


def _named(prefix: str, categories: Integers) -> list[str]:
    return [f"{prefix}{category}" for category in categories]


def _joined(matrix: Floats) -> list[str]:
    return [" ".join(f"{value:.4f}" for value in row) for row in matrix.tolist()]


def _joined_by_car(listings: pd.DataFrame, column: str) -> list[str]:
    """Join the values of each car, which come in order of the cars."""
    values = listings[column].astype(str)
    joined: list[str] = values.groupby(listings["car"]).agg(" ".join).tolist()
    return joined


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _text(table: pd.DataFrame) -> str:
    return table.to_csv(sep="\t", index=False, lineterminator="\n")

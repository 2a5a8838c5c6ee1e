"""What is answered: plain values that any reader of JSON takes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A part of an answer."""

    # Also where a value got past `plain`: no NaN and no infinity, which are no JSON.
    model_config = ConfigDict(ser_json_inf_nan="null")


class EventsAnswer(Answer):
    """What became of events."""

    accepted: int
    dropped: dict[str, int] = Field(description="How many were left out, by reason.")
    position: int = Field(description="Events of the log after them.")


class Ranked(Answer):
    """An item at its rank."""

    rank: int
    item: str
    score: float | None
    attributes: dict[str, Any]


class RankingAnswer(Answer):
    """Items, best first."""

    items: list[Ranked]
    position: int
    without_purchases: int = Field(default=0, description="Of the user's, taken away.")


class Count(Answer):
    """How many items a request has changed."""

    items: int


class Forgotten(Answer):
    """A user who is forgotten."""

    forgotten: bool


class Status(Answer):
    """Whether the service lives, or takes requests."""

    status: str


class Names(Answer):
    """Raw ids in alphabetical order."""

    names: list[str]
    total: int = Field(description="Of all that begin so.")
    next: int | None = Field(description="Offset of the next page.")


def plain(value: Any) -> Any:
    """Give a value as JSON has it: no NaN, no infinity, nothing of numpy or pandas."""
    if isinstance(value, np.ndarray | pd.Series):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if value is pd.NA or value is pd.NaT:
        return None
    return str(value)


def ranking(frame: pd.DataFrame, position: int) -> RankingAnswer:
    """Give a ranking as an answer.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns rank, item, score and attributes.
    position : int
        Events of the log.
    """
    names = [name for name in frame.columns if name not in ("rank", "item", "score", "user")]
    rows = frame.to_dict("records")
    items = [
        Ranked(
            rank=int(row["rank"]),
            item=str(row["item"]),
            score=plain(row["score"]),
            attributes={name: plain(row[name]) for name in names},
        )
        for row in rows
    ]
    return RankingAnswer(items=items, position=position)

"""Tables for people, and rows for programs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import pandas as pd
from texttable import Texttable

from recbole_imn.serving import Recommender

# Columns that are not to be shortened, and stand at the right of their cells.
NUMBERS = ("rank", "score", "value", "typical")
NARROWEST = 60


def show(frame: pd.DataFrame, form: str, heading: str, notice: str | None) -> None:
    """Print rows.

    Parameters
    ----------
    frame : DataFrame
    form : {'table', 'csv', 'jsonl'}
    heading : str
        Above a table; the other forms are rows alone.
    notice : str or None
        Of simulated data: below a table, else on the error stream, which nobody parses.
    """
    if form == "table":
        print("\n".join([heading, "", table(frame), *(["", notice] if notice else [])]))
        return
    print(rows(frame, form), end="")
    if notice:
        print(notice, file=sys.stderr)


def rows(frame: pd.DataFrame, form: str) -> str:
    """Give a frame as csv with a header, or as one JSON object a line."""
    if form == "csv":
        return frame.to_csv(index=False, lineterminator="\n")
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in plain_rows(frame)]
    return "".join(lines)


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows in values that JSON has; a cell without content is None."""
    names = [str(name) for name in frame.columns]
    columns = [[_plain(cell) for cell in frame[name].tolist()] for name in names]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def table(frame: pd.DataFrame) -> str:
    """Lay out a frame as wide as the terminal; numbers stand at the right."""
    if frame.empty:
        return "(no rows)"
    names = [str(name) for name in frame.columns]
    drawn = Texttable(max_width=max(NARROWEST, shutil.get_terminal_size().columns))
    drawn.set_deco(Texttable.HEADER)
    drawn.set_cols_dtype(["t"] * len(names))
    sides = ["r" if name in NUMBERS or _is_number(frame[name]) else "l" for name in names]
    drawn.set_cols_align(sides)
    drawn.set_header_align(sides)
    drawn.header(names)
    for row in plain_rows(frame):
        drawn.add_row([_text(name, cell) for name, cell in row.items()])
    return str(drawn.draw())


def listed(names: Sequence[str]) -> str:
    """Name three, and say how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"


def tell_strangers(users: Sequence[str], recommender: Recommender, done: str) -> None:
    """Name users who are not known: perhaps a slip of the pen, which rows alone would not tell."""
    known = recommender.market.users
    strangers = [user for user in dict.fromkeys(users) if user not in known]
    if strangers:
        print(f"not known, and {done} as new users: {listed(strangers)}", file=sys.stderr)


def _is_number(column: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column))


def _plain(cell: Any) -> Any:
    return None if cell is None or cell != cell else cell


def _text(name: str, cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        # Prices as people write them; scores stand below each other.
        return f"{cell:.4f}" if name in NUMBERS else str(round(cell, 4)).removesuffix(".0")
    return str(cell)

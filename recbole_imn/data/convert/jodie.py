"""Logs in the format of JODIE's data sets (SNAP): Wikipedia, Reddit, LastFM, MOOC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recbole_imn.data.convert.layout import Column, Layout, Table
from recbole_imn.data.convert.sniff import first_rows
from recbole_imn.data.convert.source import Source
from recbole_imn.errors import DataError

COLUMNS = ("user_id", "item_id", "timestamp", "state_label")
# What the header calls all columns of features together.
FEATURES = "comma_separated_list_of_features"


def read(paths: Sequence[Path], label_is_purchase: bool = False) -> Source:
    """Describe a log.

    The header names one column of features where the rows have any number of them, so the
    first row tells how many there are.

    Parameters
    ----------
    paths : sequence of Path
        One CSV file: user, item, seconds, state label, features.
    label_is_purchase : bool
        Whether a state label of 1 marks a purchase. The labels of SNAP's files do not: they
        mark bans and drop-outs, and stay a column either way.

    Raises
    ------
    DataError
        If there is not exactly one file, or it has no rows or fewer columns.
    """
    if len(paths) != 1:
        raise DataError(f"jodie reads one file, not {len(paths)}")
    rows = first_rows(paths[0], ",", 2)
    if len(rows) < 2:
        raise DataError(f"{paths[0]}: a header but no rows")
    header = [name.lower() for name in rows[0][:3]]
    width = len(rows[1])
    if header != list(COLUMNS[:3]) or width < len(COLUMNS):
        raise DataError(
            f"{paths[0]}: the header is {','.join(rows[0])[:120]!r} and the first row has {width} "
            f"columns; a log of this kind has {','.join(COLUMNS)} and features"
        )
    features = tuple(range(len(COLUMNS), width))
    columns = {"state_label": Column((3,), "float")}
    if features:
        columns["features"] = Column(features, "float_seq")
    layout = Layout(
        user_id=0,
        item_id=1,
        timestamp=2,
        time_format="seconds",
        purchase=3 if label_is_purchase else None,
        event_columns=columns,
    )
    table = Table(paths[0], width, quoted=False)
    options = {"label_is_purchase": label_is_purchase}
    return Source("jodie", [(table, layout)], is_relative=True, options=options)

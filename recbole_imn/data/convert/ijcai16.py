"""The Tmall log of the IJCAI-16 contest, as one file or as RecBole's two downloads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recbole_imn.data.atomic import read_header
from recbole_imn.data.convert.layout import Column, Layout, Table
from recbole_imn.data.convert.sniff import first_rows, require_header, require_text
from recbole_imn.data.convert.source import Source
from recbole_imn.data.convert.times import DAY_NUMBER, guess_format
from recbole_imn.errors import DataError

HEADER = ("user_id", "seller_id", "item_id", "category_id", "online_action_id", "time_stamp")
FILE = "ijcai2016_taobao.csv"
ACTIONS = {"0": "click", "1": "buy"}
ATTRIBUTES = ("seller_id", "category_id")
TIME_ZONE = "Asia/Shanghai"


def read(paths: Sequence[Path]) -> Source:
    """Describe the log.

    Parameters
    ----------
    paths : sequence of Path
        ``ijcai2016_taobao.csv``, or the ``.inter`` files of RecBole's data sets
        ``tmall-click-not-merged`` and ``tmall-buy-not-merged``, or a folder with either.

    Raises
    ------
    DataError
        If the files are not there or have other columns.
    """
    files = [file for path in paths for file in _files(path)]
    if len(files) == 1 and files[0].suffix != ".inter":
        tables = [_contest_table(files[0])]
    else:
        tables = [_recbole_table(file, action) for file, action in _by_action(files)]
    notes = ["the source knows days only: events of a day keep the order of the file"]
    if len(tables) > 1:
        notes.append("on each day all clicks stand before all purchases")
    return Source("ijcai16", tables, time_zone=TIME_ZONE, notes=notes)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if (path / FILE).is_file():
        return [path / FILE]
    found = sorted(path.glob("**/tmall-*.inter"))
    if not found:
        raise DataError(f"{path} has neither {FILE} nor tmall-*.inter files")
    return found


def _by_action(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Find the file of each action, clicks first."""
    found = []
    for action in ACTIONS.values():
        matching = [file for file in files if file.name.startswith(f"tmall-{action}")]
        if len(matching) != 1:
            raise DataError(
                f"{len(matching)} files tmall-{action}*.inter among "
                f"{', '.join(file.name for file in files)}; one of each of "
                "tmall-click-not-merged.inter and tmall-buy-not-merged.inter is needed"
            )
        found.append((matching[0], action))
    return found


def _contest_table(path: Path) -> tuple[Table, Layout]:
    require_header(path, first_rows(path, ",")[0], HEADER)
    layout = Layout(
        user_id=HEADER.index("user_id"),
        item_id=HEADER.index("item_id"),
        timestamp=HEADER.index("time_stamp"),
        time_format=DAY_NUMBER,
        time_zone=TIME_ZONE,
        behavior=HEADER.index("online_action_id"),
        behaviors=ACTIONS,
        purchases=("buy",),
        item_columns={name: Column((HEADER.index(name),), "token") for name in ATTRIBUTES},
    )
    return Table(path, len(HEADER), quoted=False), layout


def _recbole_table(path: Path, action: str) -> tuple[Table, Layout]:
    require_text(path)
    fields = list(read_header(path))
    missing = {"user_id", "item_id", "timestamp", *ATTRIBUTES} - set(fields)
    if missing:
        raise DataError(f"{path}, line 1: no column {sorted(missing)[0]}; it has {fields}")
    table = Table(path, len(fields), separator="\t", quoted=False)
    place = fields.index("timestamp")
    times = [row[place] for row in first_rows(path, "\t", 101)[1:] if len(row) > place]
    layout = Layout(
        user_id=fields.index("user_id"),
        item_id=fields.index("item_id"),
        timestamp=place,
        time_format=guess_format(times, TIME_ZONE),
        time_zone=TIME_ZONE,
        constant_behavior=action,
        behaviors=ACTIONS,
        purchases=("buy",),
        item_columns={name: Column((fields.index(name),), "token") for name in ATTRIBUTES},
    )
    return table, layout

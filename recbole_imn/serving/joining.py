"""Records that follow each other, joined into fewer."""

from __future__ import annotations

from collections.abc import Sequence

from recbole_imn.serving.intake import Record


def joined(records: Sequence[Record]) -> list[Record]:
    """Join neighbouring records of events, which are then applied together."""
    found: list[Record] = []
    for record in records:
        last = found[-1] if found else None
        if last is None or record["kind"] != "events" or last["kind"] != "events":
            found.append(_copied(record))
            continue
        for name in ("user", "item", "time", "behavior", "purchase", "keys"):
            last[name] += record[name]
        for name, cells in record["features"].items():
            last["features"][name] += cells
    return found


def _copied(record: Record) -> Record:
    if record["kind"] != "events":
        return record
    lists = {name: list(cells) for name, cells in record.items() if isinstance(cells, list)}
    features = {name: list(cells) for name, cells in record["features"].items()}
    return {**record, **lists, "features": features}

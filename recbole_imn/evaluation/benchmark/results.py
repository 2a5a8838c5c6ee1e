"""Result files of runs: published as one unit, and read only if they are what was written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from recbole_imn.data.publishing import Workspace, settle
from recbole_imn.evaluation.benchmark.plan import Run

SUMS = "sha256"
# What results have that were written before there were sums in them.
_KEYS = {
    *("identity", "simulated", "environment", "config", "protocols", "validation", "epochs"),
    *("curve", "seconds", "events_per_second", "peak_memory_mib", "parameters", "checkpoint"),
}


def write_result(result: dict[str, Any], ranks: pd.DataFrame, run: Run, folder: Path) -> None:
    """Write ``runs/NAME.parquet`` and ``runs/NAME.json``, which take effect together.

    Parameters
    ----------
    result : dict
        Plain values, the run's identity among them.
    ranks : DataFrame
        Of every test row.
    run : Run
    folder : Path
        Of the benchmark.
    """
    with Workspace(folder / "runs", run.name) as work:
        ranks.to_parquet(work.path("parquet"), index=False, compression="zstd")
        sums = {"ranks": _sum(work.path("parquet").read_bytes()), "result": _sum(_text(result))}
        text = json.dumps({**result, SUMS: sums}, indent=1)
        work.path("json").write_text(text + "\n", encoding="utf-8")
        work.publish("parquet", "json")


def read_result(run: Run, folder: Path) -> dict[str, Any] | None:
    """Read the result of a run; None if it is not finished.

    A result of another configuration or other data is none, and neither is a damaged one.
    """
    settle(folder / "runs", run.name)
    result = read_any_result(run, folder)
    if result is None or result.get("identity") != run.identity:
        return None
    return result


def read_any_result(run: Run, folder: Path) -> dict[str, Any] | None:
    """Read the result under the name of a run, whatever its configuration, if it is whole."""
    path = folder / "runs" / run.name
    result, ranks = path.with_name(f"{run.name}.json"), path.with_name(f"{run.name}.parquet")
    if not result.is_file() or not ranks.is_file():
        return None
    try:
        values = json.loads(result.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) and _is_whole(values, ranks) else None


def _is_whole(values: dict[str, Any], ranks: Path) -> bool:
    if SUMS not in values:
        return set(values) >= _KEYS and _is_parquet(ranks)
    rest = {key: value for key, value in values.items() if key != SUMS}
    return bool(values[SUMS] == {"ranks": _sum(ranks.read_bytes()), "result": _sum(_text(rest))})


def _is_parquet(file: Path) -> bool:
    try:
        pd.read_parquet(file)
    except (ValueError, OSError):  # what pyarrow raises on a damaged file
        return False
    return True


def _text(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True).encode()


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""Write the pages of finished benchmarks anew from their stored runs; nothing is trained.

    python benchmarks/remake_pages.py results/czb [results/retailrocket ...]

writes results/czb.md and results/czb.html from results/czb/runs, whatever settings and defaults
are by now: each run is taken as it was recorded.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from recbole_imn import registry
from recbole_imn.evaluation.benchmark.plan import BASELINES, TRIVIAL, Run
from recbole_imn.evaluation.report import write_report


def recorded_runs(folder: Path) -> list[Run]:
    """Give the finished runs of a benchmark, systems in the order of a benchmark of all."""
    files = sorted((folder / "runs").glob("*.json"))
    runs = [_run(json.loads(file.read_text(encoding="utf-8"))) for file in files]
    order = list(dict.fromkeys((*BASELINES, *registry.MODELS)))
    order.sort(key=lambda name: name not in TRIVIAL)
    place = {name: number for number, name in enumerate(order)}
    return sorted(runs, key=lambda run: (place.get(run.model, len(place)), run.system, run.seed))


def _run(result: dict[str, Any]) -> Run:
    known = {field.name for field in fields(Run)} & set(result)
    values = {name: result[name] for name in known}
    return Run(**{**values, "protocols": tuple(result["protocols"])})


def main() -> None:
    """Remake the pages of the folders that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of benchmarks")
    registry.register()
    for folder in parser.parse_args().folders:
        for page in write_report(recorded_runs(folder), {}, folder):
            print(f"{page}: {page.stat().st_size / 1024:,.0f} kB")


if __name__ == "__main__":
    main()

"""Pages in results/ say what the runs say that are kept beside them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.remake_pages import recorded_runs
from recbole_imn.evaluation.benchmark.results import read_any_result
from recbole_imn.evaluation.report.gather import label

RESULTS = Path(__file__).parents[2] / "results"
FOLDERS = sorted(folder.parent for folder in RESULTS.glob("*/runs"))
kept = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])


def ndcg(ranks: pd.Series) -> float:
    """NDCG@10 of one relevant item a row, where rows with ties have their mean rank."""
    ranked = ranks.to_numpy()
    return float(np.where(ranked <= 10, 1 / np.log2(ranked + 1), 0.0).mean())


def tables(folder: Path) -> dict[str, list[pd.DataFrame]]:
    """Give the ranks of every seed by the name of the system on the page."""
    found = defaultdict(list)
    for run in recorded_runs(folder):
        found[label(run.system)].append(pd.read_parquet(folder / "runs" / f"{run.name}.parquet"))
    return found


@kept
def test_every_run_is_whole_and_says_where_it_comes_from(folder: Path):
    for run in recorded_runs(folder):
        result = read_any_result(run, folder)
        assert result is not None, run.name
        assert result["identity"] == run.identity
        assert "dirty" not in result["environment"]["commit"]
        assert not Path(result["checkpoint"]).is_absolute()


@kept
def test_figures_of_the_page_are_those_of_the_ranks(folder: Path):
    page = folder.with_suffix(".md").read_text(encoding="utf-8")
    page = page.replace("**", "").replace("\\*", "*")
    for system, seeds in tables(folder).items():
        values = [ndcg(table.loc[table["candidates"] == "all", "rank"]) for table in seeds]
        assert {len(table) for table in seeds} == {len(seeds[0])}
        cells = next(line for line in page.splitlines() if line.startswith(f"| {system} |"))
        deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        assert cells.split("|")[3].strip() == f"{statistics.mean(values):.4f}{deviation}", system

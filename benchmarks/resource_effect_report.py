"""The dose-response table of trainings on markets of known resource strength, and its plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.dose_plot import dose_plot
from benchmarks.resource_markets import Market
from benchmarks.resource_runs import SYSTEMS, WITHOUT
from benchmarks.resource_statistics import Gains, by_strength, over_markets, p_value, slopes
from recbole_imn.evaluation.significance import Figure, holm
from recbole_imn.rank_metrics import rank_metric

CUT = 10
# Kinds of rows: how the name of their plot ends, and what must be true of them in a record.
SLICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "all rows": ("all", ()),
    "within 7 days after a purchase": ("week", ("recent_purchase",)),
    "items new to the user, within 7 days after a purchase": (
        "week_new",
        ("recent_purchase", "new_item"),
    ),
}
Record = dict[str, Any]
Records = Mapping[Market, Sequence[Record]]
# Of the ceiling: by slice and by who it is.
Ceiling = Mapping[str, Mapping[str, Gains]]


def report(records: Records, ceiling: Ceiling, epochs: int, name: str) -> str:
    """Give the page.

    Parameters
    ----------
    records : mapping of Market to sequence of dict
        Of all runs on each finished market.
    ceiling : mapping
        What was to be found on the same markets; empty where that was not measured.
    epochs : int
    name : str
        Of the page and its plots.
    """
    lines = [*_header(records, epochs), *_counts(records)]
    corrected = _corrected(records)
    for rows, (ending, _) in SLICES.items():
        lines += ["", f"## Difference in NDCG@{CUT}, {rows}", ""]
        lines += [f"![Difference by resource strength, {rows}]({name}_{ending}.svg)", ""]
        lines += _difference_table(records, ceiling.get(rows, {}), rows, corrected)
    lines += ["", f"## NDCG@{CUT} itself", "", *_level_table(records)]
    return "\n".join(lines) + "\n"


def plots(records: Records, ceiling: Ceiling) -> dict[str, str]:
    """Give a plot of each kind of rows as SVG, by the ending of its file's name."""
    strengths, nowhere = _strengths(records), Figure(np.nan, np.nan, np.nan)
    return {
        ending: dose_plot(
            f"What knowing purchases adds, {rows} (SIMULATED markets)",
            strengths,
            {
                who: [by_strength(gains).get(strength, nowhere) for strength in strengths]
                for who, gains in [*ceiling.get(rows, {}).items(), *_systems(records, rows)]
            },
            f"difference in NDCG@{CUT}, 95%",
        )
        for rows, (ending, _) in SLICES.items()
    }


# -- what the tables are made of ------------------------------------------------------------------


def _strengths(records: Records) -> list[float]:
    return sorted({market.strength for market in records})


def gain(market: Market, one: Record, other: Record, rows: str) -> float:
    """Give the mean difference of two runs on rows of a market; nan where there are none.

    Raises
    ------
    ValueError
        If they ranked other rows.
    """
    same_data = one["provenance"]["fingerprint"] == other["provenance"]["fingerprint"]
    if not same_data or one["events"] != other["events"]:
        raise ValueError(f"{market.name}: two runs ranked other rows; delete their files")
    return level(one, rows) - level(other, rows)


def level(record: Record, rows: str) -> float:
    """Give the mean of the metric on rows; nan where there are none."""
    kept = _kept(record, rows)
    values = np.asarray(rank_metric(f"ndcg@{CUT}")(np.array(record["ranks"])), np.float64)
    return float(values[kept].mean()) if kept.any() else np.nan


def _kept(record: Record, rows: str) -> Any:
    _, conditions = SLICES[rows]
    flags = [np.array(record[name], bool) for name in conditions]
    return np.logical_and.reduce([np.ones(len(record["ranks"]), bool), *flags])


def _find(records: Sequence[Record], model: str, variant: str) -> Record:
    return next(
        record
        for record in records
        if (record["run"]["model"], record["run"]["variant"]) == (model, variant)
    )


def _systems(records: Records, rows: str) -> Iterator[tuple[str, Gains]]:
    """Give what each system gains over the same model without."""
    for model, variants in SYSTEMS.items():
        for variant in variants:
            if variant != WITHOUT:
                yield f"{model}, {variant}", _gains(records, model, variant, rows)


def _gains(records: Records, model: str, variant: str, rows: str) -> Gains:
    return {
        market: gain(market, _find(runs, model, variant), _find(runs, model, WITHOUT), rows)
        for market, runs in records.items()
    }


# -- tables ---------------------------------------------------------------------------------------


def _header(records: Records, epochs: int) -> list[str]:
    runs = [record for market in records.values() for record in market]
    commits = sorted({str(run["provenance"]["commit"])[:12] for run in runs})
    versions = ", ".join(" ".join(pair) for pair in runs[0]["provenance"]["versions"].items())
    scale = next(iter(records)).scale
    return [
        "# What knowing purchases adds, by resource strength, on SIMULATED markets",
        "",
        f"Markets in the shape of czb (version 1) at scale {scale:g}, all of them simulated: the "
        "differences say what a model makes of purchases where the truth is known, and nothing "
        f"about a real platform. Epochs: {epochs} at most, the best one on validation; all other "
        "settings are the models' own. Both runs of a pair rank the whole catalogue on the same "
        "test rows; ties count half. Differences are those to the same model without anything that "
        "knows of purchases (`resource_branch: none`).",
        "",
        "Intervals are Student's over markets, of the mean difference on each. A slope is by least "
        "squares over strengths, one for each seed of markets, whose users and cars are the same "
        "at every strength; its p-value is Student's over seeds, after Holm's correction for all "
        f"{len(SLICES)} tables. Lines in italics are what "
        "[resource_ceiling.py](resource_ceiling.md) finds to be gained on the same markets, by "
        "learners of choices in sessions among the cars on the shelf: on another scale, since "
        "models rank the whole catalogue at every event.",
        "",
        f"Commit {', '.join(commits)}; {versions}. Settings, seeds, data fingerprints and ranks "
        "of every run are in its file.",
    ]


def _counts(records: Records) -> Iterator[str]:
    yield ""
    yield f"| strength | markets | {' | '.join(SLICES)} |"
    yield "|---" * (len(SLICES) + 2) + "|"
    for strength in _strengths(records):
        runs = [found[0] for market, found in records.items() if market.strength == strength]
        counts = [sum(int(_kept(run, rows).sum()) for run in runs) for rows in SLICES]
        yield f"| {strength:g} | {len(runs)} | {' | '.join(f'{n:,}' for n in counts)} |"


def _corrected(records: Records) -> dict[tuple[str, str], float]:
    """Give the p-value of each slope of a system after correction, by kind of rows and system."""
    found = {
        (rows, system): p_value(slopes(gains))
        for rows in SLICES
        for system, gains in _systems(records, rows)
    }
    return dict(zip(found, holm(list(found.values())), strict=True))


def _difference_table(
    records: Records,
    ceiling: Mapping[str, Gains],
    rows: str,
    corrected: Mapping[tuple[str, str], float],
) -> Iterator[str]:
    strengths = _strengths(records)
    yield f"| who | {' | '.join(f'{strength:g}' for strength in strengths)} | slope | p, Holm |"
    yield "|---" * (len(strengths) + 3) + "|"
    named = [(f"*{who}*", gains) for who, gains in ceiling.items()]
    for who, gains in [*named, *_systems(records, rows)]:
        figures = by_strength(gains)
        cells = [_shown(figures.get(strength)) for strength in strengths]
        cells.append(_shown(over_markets(slopes(gains))))
        cells.append(f"{corrected[rows, who]:.3f}" if (rows, who) in corrected else "-")
        yield f"| {who} | {' | '.join(cells)} |"


def _shown(cell: Figure | None) -> str:
    return "-" if cell is None or np.isnan(cell.mean) else str(cell)


def _level_table(records: Records) -> Iterator[str]:
    strengths = _strengths(records)
    yield f"| rows | model | variant | {' | '.join(f'{strength:g}' for strength in strengths)} |"
    yield "|---" * (len(strengths) + 3) + "|"
    for rows in SLICES:
        for model, variants in SYSTEMS.items():
            for variant in variants:
                cells = [f"{_level(records, model, variant, rows, dose):.4f}" for dose in strengths]
                yield f"| {rows} | {model} | {variant} | {' | '.join(cells)} |"


def _level(records: Records, model: str, variant: str, rows: str, strength: float) -> float:
    found = [
        level(_find(runs, model, variant), rows)
        for market, runs in records.items()
        if market.strength == strength
    ]
    return over_markets(found).mean

"""What is said when a run is done: test figures, where its files are, and what to try next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recbole_imn.screen.columns import table
from recbole_imn.screen.references import References

Metrics = Mapping[str, float]
NO_PLATFORM = "SIMULATED data: these figures say nothing about a real platform"


@dataclass(frozen=True)
class Ending:
    """What there is to say.

    Attributes
    ----------
    model : str
    test : mapping of str to float
        Metrics of the best epoch.
    validation : mapping of str to float or None
        Of the same epoch, where anything was validated.
    best_epoch : int or None
        Which it is, where somebody knows.
    references : References
    n_rows : int
        Rows of the test.
    decimals : int
        Of metrics.
    is_simulated : bool
    checkpoint : str
    card : Path or str
        Of the model; or why there is none.
    log_file : str or None
    next_steps : sequence of (str, str)
        Commands, and what they do.
    """

    model: str
    test: Metrics
    validation: Metrics | None
    best_epoch: int | None
    references: References
    n_rows: int
    decimals: int
    is_simulated: bool
    checkpoint: str
    card: Path | str
    log_file: str | None
    next_steps: Sequence[tuple[str, str]]


def ending_lines(ending: Ending) -> list[str]:
    """Lay out the end of a run, a text a line."""
    lines = ["", *figures(ending)]
    if ending.references.reason:
        lines.append(f"RecentHistory and LastItem are left out: {ending.references.reason}")
    if ending.is_simulated:
        lines.append(NO_PLATFORM)
    lines += ["", *table(_files(ending), n_left=2)]
    if ending.next_steps:
        lines += ["", "what to try next"]
    for command, what in ending.next_steps:
        lines += [f"  # {what}", f"  {command}"]
    return lines


def figures(ending: Ending) -> list[str]:
    """Lay out metrics, a line each, of the model and of what it has to beat."""
    columns: dict[str, Metrics] = {ending.model: ending.test, **ending.references.results}
    if ending.validation is not None:
        epoch = "" if ending.best_epoch is None else f", epoch {ending.best_epoch}"
        columns[f"{ending.model} on validation{epoch}"] = ending.validation
    rows = [[f"test, {ending.n_rows:,} rows", *columns]]
    for metric in ending.test:
        values = (float(column[metric]) for column in columns.values())
        rows.append([metric, *(f"{value:.{ending.decimals}f}" for value in values)])
    return table(rows)


def _files(ending: Ending) -> list[tuple[str, str]]:
    card = ("model card", str(ending.card))
    if isinstance(ending.card, str):
        card = ("model card", f"none: {ending.card}")
    files = [("checkpoint", ending.checkpoint), card]
    if ending.log_file:
        files.append(("log", f"{ending.log_file} (--screen=log shows it)"))
    return files

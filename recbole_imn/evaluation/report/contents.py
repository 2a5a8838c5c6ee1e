"""What a report says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recbole_imn import registry
from recbole_imn.data.filters import what_is_left_out
from recbole_imn.evaluation.report.anchor import anchor
from recbole_imn.evaluation.report.chosen import about_settings, chosen, tuned_in
from recbole_imn.evaluation.report.claims import claims_section
from recbole_imn.evaluation.report.comparisons import against, comparison_section
from recbole_imn.evaluation.report.differing import differing_seeds, recorded
from recbole_imn.evaluation.report.gather import STRONG, Board, Result, label, slice_means
from recbole_imn.evaluation.report.log import log_section, users_section
from recbole_imn.evaluation.report.paper import paper_sections
from recbole_imn.evaluation.report.parts import (
    METRICS,
    RANKED,
    Contents,
    Section,
    Table,
    mean_text,
    spread,
)
from recbole_imn.evaluation.systems import model_of
from recbole_imn.paper.figures import SOURCE
from recbole_imn.settings_files import keys_of

HISTORY = "MAX_ITEM_LIST_LENGTH"


def make_contents(board: Board) -> Contents:
    """Put the report together."""
    simulated = board.any_result["simulated"]
    title = f"Benchmark on {board.dataset}" + (" (simulated data)" if simulated else "")
    notices = [f"{simulated}."] if simulated else []
    notices += [f"FAILED: {name}: {reason}" for name, reason in board.failures.items()]
    sections: list[Section] = []
    if board.agreed.with_validation:
        sections += anchor(board)
    compared = {protocol: against(board, protocol) for protocol in board.protocols}
    found = {protocol: one for protocol, one in compared.items() if one is not None}
    for protocol in board.protocols:
        sections.append(_results(board, protocol))
        if protocol in found:
            sections.append(comparison_section(board, protocol, found[protocol]))
        sections.append(users_section(board, protocol, board.best_baseline(protocol)))
        sections.append(_slices(board, protocol))
    sections += [*paper_sections(board), claims_section(board)]
    sections += [log_section(board), _cost(board), _settings(board), _environment(board)]
    return Contents(title, notices, sections, found)


def _results(board: Board, protocol: str) -> Section:
    """Lay out models by metrics, the best of each in bold."""
    means = {
        name: {model: float(board.metric(model, protocol, name).mean()) for model in board.results}
        for name in METRICS
    }
    rows = []
    for model in board.results:
        cells = [
            spread(
                board.metric(model, protocol, name), means[name][model] == max(means[name].values())
            )
            for name in METRICS
        ]
        rows.append((label(model), *cells))
    columns = ("model", *METRICS.values())
    return Section(
        f"Results: {RANKED[protocol]}",
        [
            *_about_rows(board, protocol),
            *_about_systems(board),
            *differing_seeds(board),
            *warnings(board, protocol),
        ],
        Table(columns, rows),
        kind="results",
        protocol=protocol,
    )


def _about_rows(board: Board, protocol: str) -> list[str]:
    facts = board.any_result["protocols"][protocol]
    sentences = [
        f"{facts['rows']:,} test rows, the same for every model. Mean ± standard deviation over "
        "seeds; items with equal scores count half. Pop ranks by the number of training events."
    ]
    part = what_is_left_out(board.any_result["config"])
    sentences += [part] if part else []
    sentences += _about_seeds(board)
    if protocol == "on_shelf":
        sentences.append(
            "Candidates are the items listed at the row's time and not yet gone, the moment of "
            f"going included. In {facts['true_item_not_a_candidate']:,} rows the true item itself "
            "is off the shelf (a trade some time after the auction, for example); they are misses "
            "for every model alike."
        )
    return sentences


def _about_seeds(board: Board) -> Iterator[str]:
    """Say which systems have fewer seeds than others, if there are any."""
    numbers = {system: len(runs) for system, runs in board.results.items()}
    most = max(numbers.values())
    fewer = [f"{label(system)} {number}" for system, number in numbers.items() if number < most]
    if fewer:
        yield f"There are {most} seeds, but of these systems fewer: {', '.join(fewer)}."


def _about_systems(board: Board) -> Iterator[str]:
    """Say how settings were chosen, and what the mark of strong baselines means."""
    yield about_settings(board)
    if any(registry.is_strong_baseline(model_of(system)) for system in board.results):
        yield (
            f"{STRONG} A strong baseline: a method of others, well kept or built as a shop would, "
            "beyond those that the paper compares."
        )


def warnings(board: Board, protocol: str) -> list[str]:
    """Say where RecBole's evaluator and ours differ."""
    return [
        f"Warning, {label(model)} (seed {run['seed']}): {run['protocols'][protocol]['warning']}."
        for model, runs in board.results.items()
        for run in runs
        if run["protocols"][protocol]["warning"]
    ]


def _slices(board: Board, protocol: str) -> Section:
    """Give the leading metric of every system by slice of rows, seeds averaged."""
    rows = [
        (
            ": ".join(name),
            f"{one.rows:,}",
            *map(mean_text, one.means.values()),
        )
        for name, one in slice_means(board, protocol).items()
    ]
    columns = ("slice of rows", "rows", *(label(system) for system in board.results))
    title = f"{board.agreed.label} by kind of row: {RANKED[protocol]}"
    return Section(title, [], Table(columns, rows), kind="slices", protocol=protocol)


def _cost(board: Board) -> Section:
    """Give time, memory and size, seeds averaged."""
    rows = []
    for model, runs in board.results.items():
        seconds = np.mean([run["seconds"]["training"] for run in runs])
        testing = np.mean([sum(run["seconds"]["test"].values()) for run in runs])
        rows.append(
            (
                label(model),
                f"{runs[0]['parameters']:,}",
                f"{np.mean([run['epochs'] for run in runs]):.1f}",
                f"{seconds:.1f}",
                f"{np.mean([run['events_per_second'] for run in runs]):,.0f}",
                f"{testing:.1f}",
                f"{max(run['peak_memory_mib'] for run in runs):,.0f}",
            )
        )
    columns = (
        "model", "parameters", "epochs", "training, s", "events/s", "test, s", "peak memory, MiB"
    )  # fmt: skip
    sentences = [
        "Means over seeds; memory is the largest, of the whole process. Events/s counts the log's "
        "training events once an epoch. Trivial models learn nothing; their epoch is empty."
    ]
    side_by_side = max(run.get("runs_at_a_time", 1) for run in board.runs)
    if side_by_side > 1:
        sentences.append(f"Up to {side_by_side} runs shared the machine, and took longer for it.")
    if len({run["environment"].get("device") for run in board.runs}) > 1:
        sentences.append(
            "Times compare on the same device only, and these ran on several: "
            f"{recorded(board, 'device')}."
        )
    return Section("Time and memory", sentences, Table(columns, rows), kind="cost")


def _settings(board: Board) -> Section:
    """Say what each model was given."""
    named = {
        "step size": "learning_rate",
        "batch": "train_batch_size",
        "embedding": "embedding_size",
        "hidden": "hidden_size",
        "history": HISTORY,
        "epochs at most": "epochs",
    }
    rows = []
    for model, runs in board.results.items():
        config = dict(runs[0]["config"])
        own_files = registry.model_files(model_of(model))
        if own_files and HISTORY not in keys_of(own_files):
            # Histories in the stream have no end.
            config[HISTORY] = "-"
        shown = [str(config.get(name, "-")) for name in named.values()]
        rows.append((label(model), *shown, chosen(runs), _files(runs)))
    columns = ("model", *named, "chosen by", "file")
    config = board.any_result["config"]
    candidates = RANKED[board.protocols[0]]
    sentences = [
        f"The best epoch by {config['valid_metric']} on the validation rows ({candidates}) is "
        f"tested; training stops when more than {config['stopping_step']} validations in a row "
        "were no better.",
        about_settings(board),
        "Defaults are those of the packages, with the paper's width, optimiser, step size and "
        "batch for models of RecBole. A system with a KEY=VALUE has its model's settings but for "
        "that one.",
    ]
    return Section("Settings", sentences, Table(columns, rows), kind="settings")


def _files(runs: list[Result]) -> str:
    """Give the files that settings were tuned in."""
    return "; ".join(sorted({tuned_in(run) or "-" for run in runs}))


def _environment(board: Board) -> Section:
    """Say where the results come from."""
    runs = board.runs
    rows = [("data set, SHA-256 of its files", board.any_result["fingerprint"])]
    rows += [("seeds", ", ".join(sorted({str(run["seed"]) for run in runs}, key=int)))]
    # In the order of the runs; a set has none.
    facts = dict.fromkeys(fact for run in runs for fact in run["environment"])
    rows += [(fact, recorded(board, fact)) for fact in facts]
    sentences = [
        "Runs, ranks of every row and settings are in the folder that the benchmark wrote.",
        f"The paper is {SOURCE}.",
    ]
    table = Table(("what", "value"), rows)
    return Section("Where this comes from", sentences, table, kind="environment")

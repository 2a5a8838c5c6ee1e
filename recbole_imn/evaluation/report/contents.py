"""What a report says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recbole_imn import registry
from recbole_imn.evaluation.report.anchor import anchor
from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import Contents, Section, Table, spread
from recbole_imn.evaluation.significance import Comparison, compare, holm

METRICS = {
    "recall@10": "Recall@10",
    "ndcg@10": "NDCG@10",
    "recall@20": "Recall@20",
    "ndcg@20": "NDCG@20",
    "mrr@10": "MRR@10",
}
PROTOCOLS = {
    "all": "the whole catalogue ranked",
    "on_shelf": "only the items on the shelf ranked",
}
PAPER = (
    "The figures of the paper's Tables 3 and 4 are not shown: no source at hand confirmed them. "
    "Its car log is not public, so its figures for cars are not comparable with any here."
)


def make_contents(board: Board) -> Contents:
    """Put the report together."""
    simulated = board.any_result["simulated"]
    title = f"Benchmark on {board.dataset}" + (" (simulated data)" if simulated else "")
    notices = [f"{simulated}."] if simulated else []
    notices += [f"FAILED: {name}: {reason}" for name, reason in board.failures.items()]
    sections: list[Section] = []
    if board.agreed.with_validation:
        sections += anchor(board)
    for protocol in board.protocols:
        sections += [_results(board, protocol), *_tests(board, protocol), _slices(board, protocol)]
    sections += [_cost(board), _settings(board), _environment(board)]
    return Contents(title, notices, sections)


def _results(board: Board, protocol: str) -> Section:
    """Lay out models by metrics, the best of each in bold."""
    means = {
        name: {model: board.metric(model, protocol, name).mean() for model in board.results}
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
        f"Results: {PROTOCOLS[protocol]}",
        [*_about_rows(board, protocol), *_warnings(board, protocol)],
        Table(columns, rows),
    )


def _about_rows(board: Board, protocol: str) -> list[str]:
    facts = board.any_result["protocols"][protocol]
    sentences = [
        f"{facts['rows']:,} test rows, the same for every model. Mean ± standard deviation over "
        "seeds; items with equal scores count half. Pop ranks by the number of training events."
    ]
    if protocol == "on_shelf":
        sentences.append(
            "Candidates are the items listed at the row's time and not yet gone, the moment of "
            f"going included. In {facts['true_item_not_a_candidate']:,} rows the true item itself "
            "is off the shelf (a trade some time after the auction, for example); they are misses "
            "for every model alike."
        )
    return sentences


def _warnings(board: Board, protocol: str) -> list[str]:
    return [
        f"Warning, {label(model)} (seed {run['seed']}): {run['protocols'][protocol]['warning']}."
        for model, runs in board.results.items()
        for run in runs
        if run["protocols"][protocol]["warning"]
    ]


def _tests(board: Board, protocol: str) -> Iterator[Section]:
    """Compare every model with the strongest baseline."""
    baseline = board.best_baseline(protocol)
    others = [model for model in board.results if model != baseline]
    if baseline is None or not others:
        return
    metric, shown = board.agreed.metric, board.agreed.label
    found = [
        compare(
            label(model),
            label(baseline),
            board.ranks[protocol, model],
            board.ranks[protocol, baseline],
            board.users,
            metric,
        )
        for model in others
    ]
    corrected = holm([one.p_value for one in found])
    final = [replace(one, corrected=p) for one, p in zip(found, corrected, strict=True)]
    yield Section(
        f"Against {label(baseline)}, the strongest baseline: {PROTOCOLS[protocol]}",
        [
            f"The baseline is the one with the highest {shown} on these rows. Intervals of the "
            f"{shown} difference come from resampling users; p is Wilcoxon's on reciprocal ranks "
            "of rows (seeds averaged, without a cut), corrected by Holm; it counts every row that "
            "moves, however deep in the ranking, and so may disagree with the interval. Rows of a "
            "user are not independent, which the intervals heed and the p-values do not."
        ],
        _comparisons(final, shown),
    )


def _comparisons(found: list[Comparison], shown: str) -> Table:
    """Lay out comparisons; the full MRR has a column beside another metric only."""
    cells = {
        "model": [one.model for one in found],
        f"{shown} difference": [f"{one.difference:+.4f}" for one in found],
        "95% interval": [f"{one.low:+.4f} to {one.high:+.4f}" for one in found],
        # A second column of this name takes the place of the first, and is the same.
        "MRR difference": [f"{one.reciprocal:+.4f}" for one in found],
        "p": [_probability(one.p_value) for one in found],
        "p corrected": [_probability(one.corrected) for one in found],
    }
    return Table(tuple(cells), list(zip(*cells.values(), strict=True)))


def _probability(value: float) -> str:
    return f"{value:.2g}" if value > 0 else "< 1e-300"


def _slices(board: Board, protocol: str) -> Section:
    """Give the leading metric of every model by slice of rows, seeds averaged."""
    metric = board.agreed.metric
    first = board.any_result["protocols"][protocol]["slices"]
    rows = []
    for place, entry in enumerate(first):
        values = [
            np.mean([run["protocols"][protocol]["slices"][place][metric] for run in runs])
            for runs in board.results.values()
        ]
        name = f"{entry['grouping']}: {entry['slice']}"
        rows.append((name, f"{entry['rows']:,}", *(f"{value:.4f}" for value in values)))
    columns = ("slice of rows", "rows", *(label(model) for model in board.results))
    title = f"{board.agreed.label} by kind of row: {PROTOCOLS[protocol]}"
    return Section(title, [], Table(columns, rows))


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
    return Section("Time and memory", sentences, Table(columns, rows))


def _settings(board: Board) -> Section:
    """Say what each model was given."""
    named = {
        "step size": "learning_rate",
        "batch": "train_batch_size",
        "embedding": "embedding_size",
        "hidden": "hidden_size",
        "history": "MAX_ITEM_LIST_LENGTH",
        "epochs at most": "epochs",
    }
    rows = []
    for model, runs in board.results.items():
        config = dict(runs[0]["config"])
        if registry.is_ours(model):
            # Histories in the stream have no end.
            config["MAX_ITEM_LIST_LENGTH"] = "-"
        shown = [str(config.get(name, "-")) for name in named.values()]
        rows.append((label(model), *shown, runs[0]["tuned"] or "no"))
    columns = ("model", *named, "tuned in")
    config = board.any_result["config"]
    tuned = any(runs[0]["tuned"] for runs in board.results.values())
    candidates = PROTOCOLS[board.protocols[0]]
    sentences = [
        f"The best epoch by {config['valid_metric']} on the validation rows ({candidates}) is "
        f"tested; training stops after {config['stopping_step']} validations without a better one.",
        "Models with a file in the last column have settings tuned beforehand."
        if tuned
        else "No model had tuned settings: these are the defaults of the packages, with the "
        "paper's width, optimiser, step size and batch for models of RecBole.",
    ]
    return Section("Settings", sentences, Table(columns, rows))


def _environment(board: Board) -> Section:
    """Say where the results come from."""
    runs = [run for results in board.results.values() for run in results]
    rows = [("data set, SHA-256 of its files", board.any_result["fingerprint"])]
    rows += [("seeds", ", ".join(sorted({str(run["seed"]) for run in runs}, key=int)))]
    for name in board.any_result["environment"]:
        rows.append((name, "; ".join(sorted({run["environment"][name] for run in runs}))))
    sentences = ["Runs, ranks of every row and settings are in the folder beside this page.", PAPER]
    return Section("Where this comes from", sentences, Table(("what", "value"), rows))

"""What the reach of gradients is worth: validation and speed of short runs."""

from __future__ import annotations

import argparse
from itertools import product
from time import perf_counter

import numpy as np
from tqdm import tqdm

from benchmarks.prepared import prepare
from recbole_imn.tuning.objective import quiet

MODELS = ("IMNNet", "IMNNetPlus")


def validation_section(options: argparse.Namespace, dataset: str) -> str:
    """Train each model with each reach, and lay out the best epochs on validation."""
    lines = [
        f"Validation on {dataset}: the best of {options.epochs} epochs, mean of "
        f"{options.seeds} seeds with their deviation, by the models' own widths.",
        "",
        "| model | purchase_reach | NDCG@10 | training, events/s |",
        "|---|---|---|---|",
    ]
    cases = list(product(MODELS, options.reaches, range(1, options.seeds + 1)))
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for name, reach, seed in tqdm(cases, f"validation on {dataset}", unit="run"):
        figures = trained(options, dataset, name, reach, seed)
        found.setdefault((name, reach), []).append(figures)
    for (name, reach), runs in found.items():
        scores, rates = np.array(runs).T
        deviation = scores.std(ddof=1) if len(scores) > 1 else 0.0
        score = f"{scores.mean():.4f} ± {deviation:.4f}"
        lines.append(f"| {name} | {reach} | {score} | {np.median(rates):,.0f} |")
    return "\n".join(lines)


def trained(
    options: argparse.Namespace, dataset: str, name: str, reach: int, seed: int
) -> tuple[float, float]:
    """Give the best NDCG@10 on validation, and training events a second."""
    with quiet():
        run = prepare(
            dataset,
            options.data_path,
            name,
            resource_branch="simplified",
            purchase_reach=reach,
            train_batch_size=options.train_batch_size,
            epochs=options.epochs,
            seed=seed,
        )
        trainer, seconds = run.trainer, []
        epoch = trainer._train_epoch

        def timed(*arguments, **named):
            start = perf_counter()
            loss = epoch(*arguments, **named)
            seconds.append(perf_counter() - start)
            return loss

        trainer._train_epoch = timed
        score, _ = trainer.fit(run.train, run.valid, saved=False, verbose=False)
    return float(score), run.n_training / min(seconds)

"""How validation goes epoch by epoch: does a model over-fit, and with which settings less?

    python benchmarks/fitting.py retailrocket=DIR [jodie_wikipedia=DIR] [--epochs=8] [--seeds=1]
        [--variant=table_learning_rate=0.003,id_dropout=0.3] [--averages=0.33,1]

Each argument is a data set and its parent folder. The defaults of the model come first, then each
variant: settings with commas between. Every row is a curve of NDCG@10 on validation, of all rows
and of those whose item is new to the user. --averages adds what running means of all weights
would get, id tables included, with horizons as shares of an epoch; without average_share the
weights that are kept are the latest. Test rows are not touched.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import Prepared, prepare, provenance
from recbole_imn.evaluation.metrics import metrics_of_ranks
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.literals import read_literal
from recbole_imn.settings_files import read_settings
from recbole_imn.tuning.objective import quiet

CONFIGS = Path(__file__).parents[1] / "dataset_configs"
# By weights: one score an epoch, of all rows and of those with new items.
Curves = dict[str, list[tuple[float, float]]]


@dataclass
class Average:
    """A running mean of weights: of all so far, then with a horizon of some steps.

    Attributes
    ----------
    horizon : float
        Steps.
    weights : list of Tensor
    steps : int
        Averaged so far.
    """

    horizon: float
    weights: list[Tensor] = field(default_factory=list)
    steps: int = 0

    @torch.no_grad()
    def add(self, weights: list[Tensor]) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        if self.steps == 1:
            self.weights = [weight.detach().clone() for weight in weights]
        else:
            torch._foreach_lerp_(self.weights, weights, 1 / min(self.steps, self.horizon))


@contextmanager
def in_place(run: Prepared, weights: list[Tensor]) -> Iterator[None]:
    """Let a model have other weights meanwhile."""
    kept = [parameter.detach().clone() for parameter in run.network.parameters()]
    put(run, weights)
    try:
        yield
    finally:
        put(run, kept)


@torch.no_grad()
def put(run: Prepared, weights: list[Tensor]) -> None:
    torch._foreach_copy_(list(run.network.parameters()), weights)
    run.session.weights_changed()


def main() -> int:
    options = parse()
    print(f"NDCG@10 on validation by epoch, {options.model}. {provenance()}")
    for data in options.data:
        name, _, folder = data.partition("=")
        print(f"\n## {name}\n\n| settings | seed | weights | rows |{heads(options.epochs)}")
        for variant in ("", *options.variant):
            for seed in range(1, options.seeds + 1):
                curves = train(options, name, folder, variant, seed)
                print("\n".join(table_rows(variant, seed, curves)), flush=True)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", help="NAME=FOLDER")
    parser.add_argument("--model", default="IMNNetPlus")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--variant", action="append", default=[])
    parser.add_argument("--averages", default="", help="shares of an epoch, commas between")
    return parser.parse_args()


def heads(epochs: int) -> str:
    """Give the heads of the epochs, and the line below the heads."""
    return " | ".join(["", *map(str, range(1, epochs + 1))]) + " |\n" + "|---" * (epochs + 4) + "|"


def table_rows(variant: str, seed: int, curves: Curves) -> Iterator[str]:
    for weights, curve in curves.items():
        for rows, scores in zip(("all", "new items"), zip(*curve, strict=True), strict=True):
            figures = " | ".join(f"{score:.4f}" for score in scores)
            yield f"| {variant or 'defaults'} | {seed} | {weights} | {rows} | {figures} |"


def settings_of(dataset: str, variant: str) -> dict[str, Any]:
    """Read the settings of a data set, and of a variant above them."""
    # czb005 and the like are scales of czb, without a file of their own.
    names = (dataset, dataset.rstrip("0123456789"))
    files = [CONFIGS / f"{name}.yaml" for name in names]
    found = next((file for file in files if file.is_file()), None)
    settings = read_settings(found) if found else {}
    changes = (change.partition("=") for change in variant.split(",") if change)
    return settings | {name: read_literal(value) for name, _, value in changes}


def train(
    options: argparse.Namespace, dataset: str, folder: str, variant: str, seed: int
) -> Curves:
    """Train a model, and validate it after every epoch."""
    with quiet():
        run = prepare(
            dataset, folder, options.model, **settings_of(dataset, variant) | {"seed": seed}
        )
        recorder, curves = RankRecorder(run.trainer), dict[str, list[tuple[float, float]]]()
        shares = [float(share) for share in options.averages.split(",") if share]
        averages = {share: Average(max(1.0, share * len(run.train))) for share in shares}
        for epoch in range(options.epochs):
            train_epoch(run, list(averages.values()), epoch)
            curves.setdefault("kept", []).append(validate(run, recorder))
            for share, average in averages.items():
                with in_place(run, average.weights):
                    curves.setdefault(f"mean of {share:g}", []).append(validate(run, recorder))
    return curves


def train_epoch(run: Prepared, averages: list[Average], epoch: int) -> None:
    """Train for an epoch, the averages following every step."""
    weights, optimizer = list(run.network.parameters()), run.trainer.optimizer
    step = optimizer.step

    def followed(*arguments: Any) -> None:
        step(*arguments)
        for average in averages:
            average.add(weights)

    optimizer.step = followed
    try:
        run.trainer._train_epoch(run.train, epoch)
    finally:
        optimizer.step = step


def validate(run: Prepared, recorder: RankRecorder) -> tuple[float, float]:
    """Give NDCG@10 of all validation rows and of those whose item is new to the user."""
    run.trainer.evaluate(run.valid, load_best_model=False)
    table, past = recorder.table(), run.session.past
    past.move_to(len(past.log))
    is_new = past.chains.times[table["event_index"].to_numpy()] <= 1
    rank = table["rank"].to_numpy()
    return tuple(
        float(metrics_of_ranks(chosen)["ndcg@10"]) if len(chosen) else np.nan
        for chosen in (rank, rank[is_new])
    )


if __name__ == "__main__":
    sys.exit(main())

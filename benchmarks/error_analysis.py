"""What a model with sources still misses: by kind of row, and what its candidates would allow.

    python benchmarks/error_analysis.py --dataset=retailrocket --data_path=DIR

Trains IMNNetPlus, or takes --checkpoint=FILE, and ranks the rows of --part. A perfect ranker of
some candidates has the true item first wherever it is among them: its NDCG@10 is their recall.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from recbole.utils import get_trainer

from recbole_imn.checkpoints import load_data_and_model
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.files import replace_text
from recbole_imn.past import Past
from recbole_imn.rank_metrics import rank_metric

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import prepare, provenance

CUTS = (10, 50, 200, 1000)
NDCG = rank_metric("ndcg@10")
SLICES = (
    "the user's last item",
    "an own earlier item",
    "a new item, seen before",
    "a new item's first event",
)
# Rows whose candidates are looked up together.
BATCH = 1024


@dataclass(frozen=True)
class Rows:
    """Rows in order of the stream.

    Attributes
    ----------
    kind : int64 [n]
        Place in SLICES.
    rank : float64 [n]
        Of the true item in the whole catalogue.
    reached : dict of str to bool [n]
        By source: whether the true item is among its candidates.
    """

    kind: np.ndarray
    rank: np.ndarray
    reached: dict[str, np.ndarray]


def main() -> int:
    options = parse()
    try:
        with tempfile.TemporaryDirectory() as folder:
            trainer, loader = opened(options) if options.checkpoint else trained(options, folder)
            rows = analyse(trainer, loader)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    text = "\n".join([*header(options), *recall_table(rows), *perfect_table(rows)]) + "\n"
    replace_text(options.out or Path(f"results/errors_{options.dataset}.md"), text)
    print(text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--checkpoint", type=Path, help="trained already, on the same data set")
    parser.add_argument("--part", choices=("valid", "test"), default="test")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def opened(options: argparse.Namespace) -> tuple[Any, Any]:
    """A trainer with the model of a checkpoint, and the rows."""
    config, model, _, _, valid, test = load_data_and_model(
        str(options.checkpoint), options.data_path
    )
    if config["dataset"] != options.dataset:
        raise ValueError(
            f"{options.checkpoint} was trained on {config['dataset']}, not on {options.dataset}; "
            f"give --dataset={config['dataset']}"
        )
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    return trainer, valid if options.part == "valid" else test


def trained(options: argparse.Namespace, folder: str) -> tuple[Any, Any]:
    """A trainer with a new model at its best epoch, and the rows."""
    made = prepare(
        options.dataset, options.data_path, "IMNNetPlus", seed=options.seed,
        epochs=options.epochs, checkpoint_dir=folder, state="ERROR",
    )  # fmt: skip
    made.trainer.fit(made.train, made.valid, saved=True, show_progress=False)
    # Loads the best epoch.
    made.trainer.evaluate(made.valid, load_best_model=True, show_progress=False)
    return made.trainer, made.valid if options.part == "valid" else made.test


def analyse(trainer: Any, loader: Any) -> Rows:
    """Rank rows, and ask all sources for their candidates."""
    recorder = RankRecorder(trainer)
    trainer.evaluate(loader, load_best_model=False, show_progress=False)
    table = recorder.table()
    past, events = loader._dataset.past, table["event_index"].to_numpy()
    reached = candidates_of(trainer.model.network.pointer, past, events)
    return Rows(kinds(past, events), table["rank"].to_numpy(), reached)


def kinds(past: Past, events: np.ndarray) -> np.ndarray:
    """Say of each row which of SLICES it is of, int64 [n]."""
    log, chains = past.log, past.chains
    latest = chains.user[events]
    last = (latest >= 0) & (log.item[events] == log.item[latest])
    new = np.where(chains.item[events] < 0, 3, 2)
    return np.where(last, 0, np.where(chains.times[events] > 1, 1, new))


def candidates_of(pointer: Any, past: Past, events: np.ndarray) -> dict[str, np.ndarray]:
    """Say of each source whether it proposes the true items of rows, bool [n] each."""
    if pointer is None:
        return {}
    borders = np.cumsum([0, *pointer.sizes])
    parts = []
    for start in range(0, len(events), BATCH):
        some = events[start : start + BATCH]
        items = pointer.look(past, past.look_at_events(some)).items.numpy()
        hit = items == past.log.item[some][:, None]
        ends = pairwise(borders)
        parts.append(np.stack([hit[:, first:last].any(axis=1) for first, last in ends]))
    return dict(zip(pointer.names, np.concatenate(parts, axis=1), strict=True))


def header(options: argparse.Namespace) -> list[str]:
    model = str(options.checkpoint.name) if options.checkpoint else f"seed {options.seed}"
    return [
        f"# What is missed: {options.dataset}, {options.part} rows",
        "",
        f"{model}; {provenance()}",
    ]


def chosen(rows: Rows) -> list[tuple[str, np.ndarray]]:
    """Slices that have rows, and all rows, each with its rows' places."""
    found = [(name, np.flatnonzero(rows.kind == place)) for place, name in enumerate(SLICES)]
    return [("all", np.arange(len(rows.kind))), *(one for one in found if len(one[1]))]


def recall_table(rows: Rows) -> list[str]:
    """Where the true item stands in the ranking of the whole catalogue."""
    cuts = " | ".join(f"first {cut:,}" for cut in CUTS)
    lines = ["", "## Ranking of the whole catalogue", ""]
    lines += [f"| item asked for | rows | share | NDCG@10 | {cuts} |"]
    lines += ["|---" * (4 + len(CUTS)) + "|"]
    for name, some in chosen(rows):
        rank = rows.rank[some]
        within = " | ".join(f"{np.mean(rank <= cut):.4f}" for cut in CUTS)
        share = len(some) / len(rows.rank)
        gain = NDCG(rank).mean()
        lines.append(f"| {name} | {len(some):,} | {share:.3f} | {gain:.4f} | {within} |")
    return lines


def perfect_table(rows: Rows) -> list[str]:
    """Share of rows whose true item is a candidate: NDCG@10 of a perfect ranker of those."""
    lines = ["", "## Candidates: what a perfect ranker of them would reach in NDCG@10", ""]
    if not rows.reached:
        return [*lines, "The model has no sources."]
    lines += [f"| item asked for | {' | '.join(rows.reached)} | all sources | NDCG@10 as it is |"]
    lines += ["|---" * (3 + len(rows.reached)) + "|"]
    union = np.any(list(rows.reached.values()), axis=0)
    for name, some in chosen(rows):
        shares = [reached[some].mean() for reached in (*rows.reached.values(), union)]
        cells = " | ".join(f"{share:.4f}" for share in shares)
        lines.append(f"| {name} | {cells} | {rank_metric('ndcg@10')(rows.rank[some]).mean():.4f} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())

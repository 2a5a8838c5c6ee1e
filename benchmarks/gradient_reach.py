"""Which earlier updates of a user's states does an event's own loss reach with its gradient?

    python benchmarks/gradient_reach.py [--dataset=czb,retailrocket] [--data_path=DIR] [--quick]

For training events whose user has at least K earlier purchases, an even sample over the log:
the share whose own loss has a gradient other than zero at the inputs of the update of the K-th
latest purchase (equation 6), with gradients that end at the window's start as in the paper
(purchase_reach 0) and as the model has it. Beside it the same for the user's own latest event
(equations 1-2). Each event is learned from alone, in the window that it has in training, after
a few steps of training.

With --validation a second table shows what the reach is worth: NDCG@10 on validation and events
a second of short runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import Prepared, prepare, provenance
from benchmarks.reach_validation import validation_section
from recbole_imn.files import replace_text
from recbole_imn.log import NO_EVENT
from recbole_imn.model import states
from recbole_imn.tuning.objective import quiet

MODELS = ("IMNNet", "IMNNetPlus")
DEPTHS = (1, 2, 4, 8)
TARGET, TARGET_DEPTHS = 0.95, (1, 4)
SEED = 1
# Gradients are there or not whatever the width is, and a small one is fast.
WIDTH = 32
# Contexts start as a copy of the previous item; some steps make all weights others.
STEPS = 40


@dataclass(frozen=True)
class Sample:
    """Training events with purchases before them.

    Attributes
    ----------
    events : int64 [n]
        Increasing.
    latest : int64 [n]
        The latest event of each event's user.
    purchases : int64 [n, 8]
        His purchases, newest first; -1 is padding.
    chosen : bool [n, n_depths]
        Whether an event is in the sample of a depth.
    """

    events: np.ndarray
    latest: np.ndarray
    purchases: np.ndarray
    chosen: np.ndarray


def main() -> int:
    options = parse()
    sections = [heading(options)]
    for dataset in options.dataset:
        sections.append(reach_section(options, dataset))
        if options.validation:
            sections.append(validation_section(options, dataset))
    text = "\n\n".join(sections) + "\n"
    print(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    replace_text(options.out, text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--dataset",
        type=lambda text: text.split(","),
        help="default: czb, and retailrocket if there",
    )
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--rows", type=int, default=1500, help="sampled events of each depth")
    parser.add_argument("--train_batch_size", type=int, default=256)
    parser.add_argument("--quick", action="store_true", help="few events; for a try")
    parser.add_argument("--validation", action="store_true", help="also train and validate")
    parser.add_argument("--reaches", type=int, nargs="+", default=[0, 1, 4, 8])
    parser.add_argument("--seeds", type=int, default=3, help="of each run for --validation")
    parser.add_argument("--epochs", type=int, default=3, help="of each run for --validation")
    parser.add_argument("--out", type=Path, default=Path("results/gradient_reach.md"))
    options = parser.parse_args()
    if options.dataset is None:
        options.dataset = ["czb"]
        if Path(options.data_path, "retailrocket").is_dir():
            options.dataset.append("retailrocket")
        else:
            print(f"{options.data_path} has no retailrocket, which is left out; see --data_path")
    if options.quick:
        options.rows, options.seeds, options.epochs = 20, 1, 1
    torch.set_num_threads(1)
    return options


def heading(options: argparse.Namespace) -> str:
    return (
        "# How far back gradients reach\n\n"
        "Share of training events whose own loss has a gradient other than zero at the inputs of "
        "an earlier update of a state of their user: of the K-th latest purchase (6), among "
        "events with at least K earlier purchases, and of the user's latest event (1-2), among "
        f"events with a purchase. Windows of {options.train_batch_size} events, width {WIDTH}, "
        f"after {STEPS} steps of training, seed {SEED}; events are an even sample over the "
        f"training part. Purchase reach 0 is the paper's form.\n\n{provenance()}"
    )


# -- a log and its models ---------------------------------------------------------------------


def reach_section(options: argparse.Namespace, dataset: str) -> str:
    """Measure both models on a log."""
    lines, is_met = [], True
    for name in MODELS:
        own = made(options, dataset, name)
        sample, chosen = sample_of(own, options.rows), own.network.settings.purchase_reach
        if name == MODELS[0]:
            lines += table_head(dataset, sample)
        for reach in sorted({0, chosen}):
            reached, of_latest = measure(made(options, dataset, name, reach), sample)
            lines.append(row(f"{name}, reach {reach}", reached, of_latest, sample))
        is_met &= meets_target(reached, sample)
    depths = " and ".join(map(str, TARGET_DEPTHS))
    verdict = "met" if is_met else "not met"
    target = f"Target with the reach as chosen, {TARGET:.0%} at purchases {depths}: {verdict}."
    return "\n".join([*lines, "", target])


def meets_target(reached: np.ndarray, sample: Sample) -> bool:
    """Say whether enough events reach as far as they should."""
    columns = [DEPTHS.index(depth) for depth in TARGET_DEPTHS]
    shares = (reached[sample.chosen[:, column], column] for column in columns)
    return all(len(share) == 0 or share.mean() >= TARGET for share in shares)


def made(
    options: argparse.Namespace, dataset: str, name: str, reach: int | None = None
) -> Prepared:
    """Make a model with a simplified branch, by default with the reach that it has."""
    settings = {} if reach is None else {"purchase_reach": reach}
    with quiet():
        return prepare(
            dataset,
            options.data_path,
            name,
            resource_branch="simplified",
            embedding_size=WIDTH,
            train_batch_size=options.train_batch_size,
            seed=SEED,
            **settings,
        )


def sample_of(run: Prepared, rows: int) -> Sample:
    """Choose events of the loss evenly, for each depth among those that are so deep."""
    past = run.dataset.past
    events = run.train._dataset.inter_feat["event_index"].numpy()
    facts = past.look_at_events(events)
    found = past.purchases(facts.purchase, max(DEPTHS))
    chosen = np.zeros((len(events), len(DEPTHS)), np.bool_)
    for column, depth in enumerate(DEPTHS):
        deep = np.flatnonzero(found[:, depth - 1] != NO_EVENT)
        spread = np.linspace(0, len(deep) - 1, min(rows, len(deep))).round().astype(np.int64)
        chosen[deep[spread], column] = True
    kept = chosen.any(axis=1)
    return Sample(events[kept], facts.latest[kept], found[kept], chosen[kept])


def table_head(dataset: str, sample: Sample) -> list[str]:
    depths = " | ".join(f"purchase {depth}" for depth in DEPTHS)
    counts = " | ".join(f"{count:,}" for count in sample.chosen.sum(axis=0))
    return [
        f"## {dataset}",
        "",
        f"| share reached | {depths} | own latest event |",
        "|---" * (2 + len(DEPTHS)) + "|",
        f"| events looked at | {counts} | {sample.chosen[:, 0].sum():,} |",
    ]


def row(name: str, reached: np.ndarray, of_latest: np.ndarray, sample: Sample) -> str:
    columns = [reached[sample.chosen[:, column], column] for column in range(len(DEPTHS))]
    columns.append(of_latest[sample.chosen[:, 0]])
    cells = (f"{100 * column.mean():.1f}%" if len(column) else "-" for column in columns)
    return f"| {name} | {' | '.join(cells)} |"


# -- gradients --------------------------------------------------------------------------------


def measure(run: Prepared, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Say which updates the loss of each event reaches.

    Returns
    -------
    reached : bool [n, n_depths]
    of_latest : bool [n]
    """
    size = run.config["train_batch_size"]
    run.train_on(min(STEPS * size, run.n_training))
    reached = np.zeros((len(sample.events), len(DEPTHS)), np.bool_)
    of_latest = np.zeros(len(sample.events), np.bool_)
    bar = tqdm(sample.events, f"{run.config['dataset']}, {run.config['model']}", unit="event")
    run.session.rewind()
    for number, event in enumerate(bar):
        start = int(event) // size * size
        run.session.go_to(start)
        purchases, events = gradients(run, start, int(event))
        wanted = sample.purchases[number][np.array(DEPTHS) - 1]
        reached[number] = np.isin(wanted, purchases) & (wanted != NO_EVENT)
        of_latest[number] = sample.latest[number] in events
    return reached, of_latest


def gradients(run: Prepared, start: int, event: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the purchases, and the events, at whose updates the event's own loss has a gradient.

    The session is at the window's start. Later events of the window cannot change the loss.
    """
    session, network = run.session, run.network
    session.past.move_to(event + 1)
    window = network.look_at_lessons(
        session.past, start, event + 1, [session.seed, session.passes], first=event
    )
    # What is added to an input has the gradient of the input.
    with Outputs(network.branch.event) as outputs:
        loss = network.loss(network.unroll(window))
    of_event, of_purchase = moved(loss, outputs.seen)
    return window.plan.purchases.events[of_purchase], start + np.flatnonzero(of_event)


def moved(loss: Tensor, outputs: list[Tensor]) -> Iterator[np.ndarray]:
    """Say which rows of each output have a gradient that is not all zeros, bool [n]."""
    gradients = torch.autograd.grad(loss, outputs, materialize_grads=True)
    return ((gradient != 0).any(dim=1).numpy() for gradient in gradients)


class Outputs:
    """Keeps the inputs of both general states' updates, and what a module of the branch gives.

    Nothing of what is not called while the context lasts.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.seen = [torch.zeros(0, 1, requires_grad=True) for _ in range(2)]

    def __enter__(self) -> Outputs:
        self.two_inputs = states.two_inputs

        def both(*arguments: Any) -> Tensor:
            self.seen[0] = self.two_inputs(*arguments)
            return self.seen[0]

        states.two_inputs = both
        self.handle = self.module.register_forward_hook(self._keep)
        return self

    def _keep(self, module: torch.nn.Module, inputs: Any, output: Tensor) -> None:
        self.seen[1] = output

    def __exit__(self, *_: object) -> None:
        states.two_inputs = self.two_inputs
        self.handle.remove()


if __name__ == "__main__":
    sys.exit(main())

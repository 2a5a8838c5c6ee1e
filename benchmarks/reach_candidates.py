"""How far gradients of the general states reach: candidates, by validation and by cost.

    python benchmarks/reach_candidates.py --dataset=retailrocket --data_path=DIR

As it is, gradients of the general states (1)-(2) end at a window's start. Two ways to let them
reach further are measured beside it, each on the same seeds and settings:

warm-up N : the window is unrolled from N events before it, of which nothing is learned
    (truncated backpropagation with k1 = the window, k2 = the window + N).
once more : the latest update of every user and item that the window reads is unrolled again
    with the present weights, from the states that it read, which are kept.

Neither is an option of the package: see results/reach_candidates.md for why.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import Tensor

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import prepare
from recbole_imn.files import replace_text
from recbole_imn.model.states import GeneralStates
from recbole_imn.model.window import EventColumns
from recbole_imn.session import Session
from recbole_imn.stream.plan import WindowPlan


class WarmSession(Session):
    """A session whose memory stays some events behind, so that windows begin earlier."""

    warm_up = 256

    def train(self, start: int, stop: int) -> Tensor:
        """Loss of a window, with gradients through the events before it."""
        self._forget_scores()
        if start == 0:
            self.rewind()
            self.passes += 1
        self.past.move_to(stop)
        self.go_to(max(0, start - self.warm_up))
        seed, first = [self.seed, self.passes], self.position
        window = self.network.look_at_lessons(self.past, first, stop, seed, start)
        loss = self.network.loss(self.network.unroll(window))
        # What lies behind the next warm-up happens once more, with the weights as they were.
        self.next_start = max(first, stop - self.warm_up)
        with torch.no_grad():
            if self.next_start > first:
                none = self.past.look([], [])
                self.commit(self.network.unroll(self.look(first, self.next_start, none)))
        return loss


class OnceMore(GeneralStates):
    """General states that recompute the latest update of users and items that a window reads."""

    def look(self, past: Any, events: Any) -> EventColumns:
        """Remember the past, for what is looked up later."""
        self.past = past
        return super().look(past, events)

    def unroll(self, plan: WindowPlan, events: EventColumns) -> Tensor:
        """Begin with states that were just recomputed."""
        if not torch.is_grad_enabled():
            return super().unroll(plan, events)
        plain_read = type(self.users).read
        found = self._again(plan, 0), self._again(plan, 1)

        def read(memory: Any, ids: Tensor) -> Tensor:
            states = plain_read(memory, ids)
            slot = 0 if memory is self.users else 1
            if memory not in (self.users, self.items) or found[slot] is None:
                return states
            rows, again = found[slot]
            return states.index_copy(0, rows, again)

        type(self.users).read = read
        try:
            return super().unroll(plan, events)
        finally:
            type(self.users).read = plain_read

    def _again(self, plan: WindowPlan, slot: int) -> tuple[Tensor, Tensor] | None:
        ids = (plan.users if slot == 0 else plan.items).numpy()
        kept, event = self._kept(slot)
        rows = np.flatnonzero(event[ids] >= 0)
        if len(rows) == 0:
            return None
        looked = super().look(self.past, event[ids[rows]])
        give = self.user_input if slot == 0 else self.item_input
        since = looked.since_user if slot == 0 else looked.since_item
        inputs = give(since, looked.behaviour, looked.features)
        half = self.transition.shape[1] // 2
        weight = self.transition[:, slot * half : (slot + 1) * half]
        pre = inputs + kept[torch.from_numpy(ids[rows])] @ weight
        return torch.from_numpy(rows), torch.sigmoid(pre)

    def _kept(self, slot: int) -> tuple[Tensor, Any]:
        if not hasattr(self, "kept"):
            sizes = len(self.users.states), len(self.items.states)
            width = 2 * self.users.width
            self.kept = [(torch.zeros(size, width), np.full(size, -1, np.int64)) for size in sizes]
        return self.kept[slot]

    def commit(self, plan: WindowPlan, states: Tensor) -> None:
        """Keep what the latest update of each user and item has read."""
        super().commit(plan, states)
        read = states.detach()[plan.levels.sources].flatten(1)
        for slot, (ids, last) in enumerate(
            ((plan.users, plan.last_user_row), (plan.items, plan.last_item_row))
        ):
            kept, event = self._kept(slot)
            if plan.start == 0:
                event.fill(-1)
            changed = last >= plan.levels.n_initial
            places = (last[changed] - plan.levels.n_initial) // 2
            kept[ids[changed]] = read[places]
            event[ids[changed].numpy()] = plan.start + places.numpy()


CANDIDATES = ("as it is", "warm-up 256", "warm-up 1024", "once more")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--models", default="IMNNet,IMNNetPlus")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        f"# How far gradients of general states reach: {options.dataset}",
        "",
        f"Best validation NDCG@10 in {options.epochs} epochs, seeds 1 to {options.seeds}; events/s "
        "of processor time in training.",
        "",
        "| model | candidate | validation NDCG@10 | events/s |",
        "|---|---|---|---|",
    ]
    for model in options.models.split(","):
        for candidate in CANDIDATES:
            runs = [run(options, model, candidate, 1 + seed) for seed in range(options.seeds)]
            scores = ", ".join(f"{score:.4f}" for score, _ in runs)
            speed = np.median([speed for _, speed in runs])
            lines.append(f"| {model} | {candidate} | {scores} | {speed:,.0f} |")
            print(lines[-1], flush=True)
    replace_text(
        Path("results") / f"reach_candidates_{options.dataset}.md", "\n".join(lines) + "\n"
    )
    return 0


def run(options: argparse.Namespace, model: str, candidate: str, seed: int) -> tuple[float, float]:
    """Train a model, and give its best validation score and its speed."""
    with tempfile.TemporaryDirectory() as folder:
        made = prepare(
            options.dataset, options.data_path, model, seed=seed, checkpoint_dir=folder,
            state="ERROR",
        )  # fmt: skip
        change(made.session, candidate)
        scores, spent = [], 0.0
        for epoch in range(options.epochs):
            start = process_time()
            made.trainer._train_epoch(made.train, epoch)
            spent += process_time() - start
            scores.append(made.trainer._valid_epoch(made.valid)[0])
        return max(scores), options.epochs * made.n_training / spent


def change(session: Session, candidate: str) -> None:
    """Let gradients of a session reach further."""
    if candidate.startswith("warm-up"):
        session.__class__ = WarmSession
        session.warm_up = int(candidate.split()[1])
    if candidate == "once more":
        session.network.states.__class__ = OnceMore


if __name__ == "__main__":
    sys.exit(main())

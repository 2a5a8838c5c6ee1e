"""What it costs to read item states that are some windows old.

    python benchmarks/stale_states.py jodie_wikipedia=DIR [--delays 0 1 10 100] [--seeds=3]

Item states that lie on another machine can be read as they were some windows of events ago. Here
what a window stores of its items is held back for as many further windows, in training and in the
replay of an evaluation alike; inside a window states move as ever. Windows have as many events in
both, and users' states are never held back. NDCG@10 of validation, the best of some epochs.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

import recbole_imn.session.replay as replay
import recbole_imn.session.session as sessions
from benchmarks.prepared import prepare, provenance
from recbole_imn.files import replace_text

WINDOW = 256


def main() -> int:
    options = parse()
    # Windows of a replay are those of training, or a delay would mean another time there.
    replay.REPLAY_WINDOW = sessions.REPLAY_WINDOW = WINDOW
    lines = [
        "# Item states that are some windows old",
        "",
        f"IMNNetPlus, windows of {WINDOW} events, at most {options.epochs} epochs, seeds 1 to "
        f"{options.seeds}; NDCG@10 of validation. {provenance()}",
    ]
    for text in options.data:
        name, _, folder = text.partition("=")
        lines += ["", f"## {name}", ""]
        lines += ["| windows late | NDCG@10 | minus that of 0 |", "|---|---|---|"]
        scores = {delay: run(name, folder, delay, options) for delay in options.delays}
        for delay, found in scores.items():
            gain = np.mean(found) - np.mean(scores[options.delays[0]])
            mean = f"{np.mean(found):.4f} ± {np.std(found):.4f}"
            lines.append(f"| {delay} | {mean} | {gain:+.4f} |")
        replace_text(options.out, "\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", help="NAME=PARENT_FOLDER")
    parser.add_argument("--delays", nargs="+", type=int, default=[0, 1, 10, 100])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/stale_states.md"))
    return parser.parse_args()


def run(name: str, folder: str, delay: int, options: argparse.Namespace) -> list[float]:
    """Give the best validation of each seed."""
    found = []
    for seed in range(1, options.seeds + 1):
        made = prepare(
            name, folder, "IMNNetPlus", seed=seed, ranking_chunk_size=WINDOW, eval_batch_size=WINDOW
        )
        if delay:
            hold_back(made.session, delay)
        scores = []
        for epoch in range(options.epochs):
            made.trainer._train_epoch(made.train, epoch)
            score, _ = made.trainer._valid_epoch(made.valid)
            scores.append(float(score))
        print(f"{name}, {delay} windows late, seed {seed}: {scores}", flush=True)
        found.append(max(scores))
    return found


def hold_back(session: Any, delay: int) -> None:
    """Let a session's item memory, and its table for ranking, lag behind by some windows."""
    items, network = session.network.states.items, session.network
    waiting: deque[tuple[Tensor, Tensor]] = deque()
    reset = items.reset

    def commit_rows(ids: Tensor, buffer: Tensor, rows: Tensor, first: int) -> None:
        changed = rows >= first
        waiting.append((ids[changed], buffer[rows[changed]].detach().clone()))

    def forget() -> None:
        waiting.clear()
        reset()

    def state() -> dict[str, Any]:
        return {**kept_state(), "waiting": list(waiting)}

    def load_state(values: dict[str, Any]) -> None:
        waiting.clear()
        waiting.extend(values["waiting"])
        load(values)

    kept_state, load = items.state, items.load_state
    items.commit_rows, items.reset = commit_rows, forget
    items.state, items.load_state = state, load_state

    @torch.no_grad()
    def commit(unrolled: Any) -> None:
        network.commit(unrolled)
        session.position = unrolled.window.plan.stop
        if len(waiting) > delay:
            ids, states = waiting.popleft()
            items.states[ids], items.known[ids] = states, True
            if session._table is not None:
                rows = torch.arange(len(ids))
                session._table[ids] = network.ranking_items(ids, states, rows)

    session.commit = commit


if __name__ == "__main__":
    raise SystemExit(main())

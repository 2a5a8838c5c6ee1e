"""Speed of the stream engine: events a second, stages, the floor, and named peers.

    python benchmarks/stream.py --dataset=jodie_wikipedia --data_path=DIR [--repeats=5]

Everything is timed in one run on the same log: IMNNet and JODIE (training, replay, full
ranking), PyG's TGNMemory at the same width, and the training and ranking of RecBole's SASRec
and GRU4Rec. Figures are medians over repeats, with the smallest and the largest. The floor is
the time of the matrix products that the recursion and the losses cannot do without, at the
speed that this machine reaches on products of their shape. Needs torch_geometric for the peer.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from recbole.config import Config

from recbole_imn import preparation
from recbole_imn.files import replace_text
from recbole_imn.stream.plan import plan_window, windows
from recbole_imn.trainer import window_threads

WIDTH = 128
EVENTS = 40_000
RANKED_ROWS = 2_048
PEER_EVENTS = 10_000
PEER_BATCHES = 16
STAGES = ("plan", "recursion", "losses", "backward", "optimiser", "commit")


@dataclass
class Figure:
    """A rate measured several times."""

    values: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        return f"{self.median:,.0f} ({min(self.values):,.0f} - {max(self.values):,.0f})"


@dataclass
class Run:
    """A model with its data, ready to be timed."""

    config: Config
    dataset: object
    train: object
    test: object
    model: torch.nn.Module
    trainer: object


def main() -> int:
    options = parse()
    sections = [header(options)]
    for threads in options.threads:
        torch.set_num_threads(threads)
        sections.append(measure(options, threads))
    report = "\n\n".join(sections)
    print(report)
    replace_text(Path("results") / f"stream_{options.dataset}.md", report + "\n")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--train_batch_size", type=int, nargs="+", default=[256, 1024, 4096])
    parser.add_argument("--no-peers", action="store_true", help="only the models of the package")
    options = parser.parse_args()
    # RecBole reads sys.argv whenever a Config is made.
    sys.argv = sys.argv[:1]
    return options


def header(options: argparse.Namespace) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "recbole"))
    return (
        f"# Speed on {options.dataset}\n\n"
        f"Medians of {options.repeats} repeats (smallest - largest); width {WIDTH}; "
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, "
        f"{packages}; commit {commit}."
    )


def measure(options: argparse.Namespace, threads: int) -> str:
    lines = [f"## {threads} thread{'s' if threads > 1 else ''}", ""]
    speed = product_speed()
    lines += [f"Products reach {speed / 1e9:.0f} GFLOP/s (float32, [1024, 512] x [512, 256]).", ""]
    lines += ["| model | window | training, events/s | floor, events/s | floor / figure |"]
    lines += ["|---|---|---|---|---|"]
    epochs = {}
    for name in ("IMNNet", "IMNNetPlus", "JODIE"):
        for size in options.train_batch_size:
            run = prepare(options, name, train_batch_size=size)
            figure = repeat(options.repeats, lambda run=run: train_events(run))
            floor = speed / flops_an_event(run.model)
            ratio = floor / figure.median
            lines.append(f"| {name} | {size} | {figure} | {floor:,.0f} | {ratio:.2f} |")
            epochs[name, size] = run.dataset.event_bounds[1] / figure.median
    largest = max(options.train_batch_size)
    run = prepare(options, "IMNNet", train_batch_size=largest)
    lines += ["", *stage_table(options, run, largest)]
    lines += ["", *ranking_table(options, run, epochs["IMNNet", largest])]
    return "\n".join(lines)


def prepare(options: argparse.Namespace, name: str, **settings: object) -> Run:
    config = Config(
        model=name,
        dataset=options.dataset,
        config_dict={
            "data_path": options.data_path,
            "event_stream": True,
            "show_progress": False,
            "use_gpu": False,
            "seed": 1,
            "embedding_size": WIDTH,
            "hidden_size": WIDTH,
            **settings,
        },
    )
    dataset, (train, _, test), trainer = preparation.prepare(config)
    return Run(config, dataset, train, test, trainer.model, trainer)


def repeat(times: int, work: Callable[[], float]) -> Figure:
    """Time a piece of work that returns a rate, after one warm-up."""
    work()
    return Figure([work() for _ in range(times)])


def product_speed() -> float:
    left, right = torch.randn(1024, 512), torch.randn(512, 256)
    times = []
    for _ in range(30):
        start = perf_counter()
        for _ in range(10):
            left @ right
        times.append((perf_counter() - start) / 10)
    return 2 * 1024 * 512 * 256 / statistics.median(times)


def flops_an_event(model: torch.nn.Module) -> float:
    """Forward and backward products that an event needs: each forward one has two backward."""
    settings = model.network.settings
    d = settings.embedding_size
    forward = 2 * (2 * d) * (2 * d)
    parts = (settings.mse_weight > 0) + (settings.nce_weight > 0)
    forward += parts * 2 * (4 * d) * (2 * d)
    if settings.nce_weight:
        forward += 2 * settings.n_negatives * 2 * d
    return 3.0 * forward


def train_events(run: Run) -> float:
    """Train on the first events of the log, as RecBole's trainer does."""
    limit = min(EVENTS, run.dataset.event_bounds[1])
    start, seen = perf_counter(), 0
    with window_threads(run.config["train_batch_size"]):
        for batch in run.train:
            run.trainer.optimizer.zero_grad()
            loss = run.model.calculate_loss(batch)
            loss.backward()
            run.trainer.optimizer.step()
            seen += len(batch)
            if seen >= limit:
                break
    return seen / (perf_counter() - start)


def stage_table(options: argparse.Namespace, run: Run, size: int) -> list[str]:
    """Share of each stage of training, milliseconds a window."""
    limit = min(EVENTS, run.dataset.event_bounds[1])
    samples: dict[str, list[float]] = {stage: [] for stage in STAGES}
    spans = list(windows(0, limit, size))
    for _ in range(options.repeats):
        totals = dict.fromkeys(STAGES, 0.0)
        run.model.session.rewind()
        for span in spans:
            for stage, seconds in zip(STAGES, timed_window(run, *span), strict=True):
                totals[stage] += seconds
        for stage in STAGES:
            samples[stage].append(1e3 * totals[stage] / len(spans))
    lines = [f"Stages of IMNNet, ms a window of {size} events (plans are made once a window):", ""]
    lines += ["| " + " | ".join(STAGES) + " |", "|---" * len(STAGES) + "|"]
    row = (f"{statistics.median(samples[stage]):.2f}" for stage in STAGES)
    return [*lines, "| " + " | ".join(row) + " |"]


def timed_window(run: Run, start: int, stop: int) -> list[float]:
    network, optimizer = run.model.network, run.trainer.optimizer
    times = [perf_counter()]
    plan = plan_window(network.stream, start, stop)
    times.append(perf_counter())
    unrolled = network.unroll(plan)
    times.append(perf_counter())
    loss = network.loss(unrolled) / (stop - start)
    times.append(perf_counter())
    optimizer.zero_grad()
    loss.backward()
    times.append(perf_counter())
    optimizer.step()
    times.append(perf_counter())
    network.commit(unrolled)
    times.append(perf_counter())
    return list(np.diff(times))


def ranking_table(options: argparse.Namespace, run: Run, epoch: float) -> list[str]:
    """Replay, ranking and epochs of IMNNet beside those of the peers."""
    lines = [
        "| | training epoch, s | replay, events/s | full ranking, rows/s |",
        "|---|---|---|---|",
    ]
    replay = repeat(options.repeats, lambda: replay_events(run))
    ranking = repeat(options.repeats, lambda: rank_rows(run))
    lines.append(f"| IMNNet | {epoch:.1f} | {replay} | {ranking} |")
    if options.no_peers:
        return lines
    for name in ("SASRec", "GRU4Rec"):
        peer = prepare(options, name, train_batch_size=256)
        rate = repeat(options.repeats, lambda peer=peer: train_rows(peer))
        seconds = len(peer.train._dataset) / rate.median
        ranked = repeat(options.repeats, lambda peer=peer: rank_rows(peer))
        note = f"{seconds:.1f} (from {PEER_BATCHES} batches, {rate} rows/s)"
        lines.append(f"| {name} | {note} | - | {ranked} |")
    memory = repeat(options.repeats, lambda: train_tgn(run))
    lines.append(f"| TGNMemory, batches of 200, stale inside | {memory} events/s | - | - |")
    return lines


def replay_events(run: Run) -> float:
    limit = min(EVENTS, run.dataset.event_bounds[1])
    run.model.session.rewind()
    start = perf_counter()
    run.model.session._seek(limit)
    return limit / (perf_counter() - start)


@torch.no_grad()
def rank_rows(run: Run) -> float:
    """Rank test rows in batches; states are replayed before the clock starts."""
    run.model.eval()
    rows = min(RANKED_ROWS, len(run.test._dataset))
    batches = [
        run.test._dataset[np.arange(first, min(first + 256, rows))] for first in range(0, rows, 256)
    ]
    run.model.full_sort_predict(batches[0])
    start = perf_counter()
    for batch in batches:
        run.model.full_sort_predict(batch)
    seconds = perf_counter() - start
    run.model.train()
    return rows / seconds


def train_rows(run: Run) -> float:
    run.model.train()
    start, seen = perf_counter(), 0
    for number, batch in enumerate(run.train):
        if number == PEER_BATCHES:
            break
        run.trainer.optimizer.zero_grad()
        run.model.calculate_loss(batch).backward()
        run.trainer.optimizer.step()
        seen += len(batch["user_id"])
    return seen / (perf_counter() - start)


def train_tgn(run: Run) -> float:
    """Train PyG's memory with a link score on the first events, as in PyG's own example."""
    from torch_geometric.nn.models.tgn import IdentityMessage, LastAggregator, TGNMemory

    stream = run.model.network.stream
    source = torch.tensor(stream.user)
    target = torch.tensor(stream.item) + stream.n_users
    time = torch.tensor(stream.time - stream.time[0]).long()
    memory = TGNMemory(
        stream.n_users + stream.n_items,
        1,
        WIDTH,
        WIDTH,
        message_module=IdentityMessage(1, WIDTH, WIDTH),
        aggregator_module=LastAggregator(),
    )
    score = torch.nn.Linear(2 * WIDTH, 1)
    optimizer = torch.optim.Adam([*memory.parameters(), *score.parameters()])
    memory.train()
    memory.reset_state()
    limit = min(PEER_EVENTS, len(stream))
    start = perf_counter()
    for first in range(0, limit, 200):
        part = slice(first, min(first + 200, limit))
        user, item = source[part], target[part]
        other = stream.n_users + torch.randint(1, stream.n_items, item.shape)
        nodes, place = torch.cat([user, item, other]).unique(return_inverse=True)
        states, _ = memory(nodes)
        of_user, of_item, of_other = states[place].split(len(user))
        positive = score(torch.cat([of_user, of_item], dim=1))
        negative = score(torch.cat([of_user, of_other], dim=1))
        loss = torch.nn.functional.softplus(-positive).mean()
        loss = loss + torch.nn.functional.softplus(negative).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        memory.update_state(user, item, time[part], torch.zeros(len(user), 1))
        memory.detach()
    return limit / (perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())

"""Speed of the stream engine: events a second, stages, the floor, and named peers.

    python benchmarks/stream.py --dataset=jodie_wikipedia --data_path=DIR [--repeats=5]

Everything is timed in one run on the same log: IMNNet, IMNNetPlus and JODIE (training, replay,
full ranking), PyG's TGNMemory at the same width, and the training and ranking of RecBole's
SASRec and GRU4Rec. Figures are medians over repeats, with the smallest and the largest. The
floor is the time of the matrix products that the recursion and the losses cannot do without, at
the speed that this machine reaches on products of their shape. The ratios that there are targets
for are measured in turns (ratios.py). Needs torch_geometric for TGNMemory.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

import torch

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import Prepared, prepare, provenance
from benchmarks.ratios import HAS_TGN, ratio_section
from benchmarks.timing import flops_an_event, product_speed, repeat
from benchmarks.work import (
    STAGES,
    rank_rows,
    replay_events,
    timed_window,
    train_events,
    train_rows,
    train_tgn,
)
from recbole_imn.files import replace_text
from recbole_imn.kernels.in_parallel import threads
from recbole_imn.stream.plan import windows

WIDTH = 128
STAGED = ("IMNNet", "IMNNetPlus")
MODELS = (*STAGED, "JODIE")
PEERS = ("SASRec", "GRU4Rec")
PEER_EVENTS = 10_000
PEER_BATCHES = 16


def main() -> int:
    options = parse()
    sections = [header(options)]
    for number in options.threads:
        with threads(number):
            sections.append(measure(options, number))
    sections.append(ratio_section(options, WIDTH))
    report = "\n\n".join(sections)
    print(report)
    options.out.mkdir(parents=True, exist_ok=True)
    replace_text(options.out / f"stream_{options.dataset}.md", report + "\n")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--train_batch_size", type=int, nargs="+", default=[256, 1024, 4096])
    parser.add_argument("--events", type=int, default=40_000, help="that are trained on")
    parser.add_argument("--rows", type=int, default=2_048, help="that are ranked")
    parser.add_argument("--ratio_repeats", type=int, default=9)
    parser.add_argument("--ratio_events", type=int, default=20_000)
    parser.add_argument("--no-peers", action="store_true", help="only the models of the package")
    parser.add_argument("--out", type=Path, default=Path("results"))
    return parser.parse_args()


def header(options: argparse.Namespace) -> str:
    gpu = "" if torch.cuda.is_available() else " There is no GPU here: rows for one are missing."
    return (
        f"# Speed on {options.dataset}\n\n"
        f"Medians of {options.repeats} repeats (smallest - largest); width {WIDTH}.{gpu}\n\n"
        f"{provenance()}"
    )


def devices() -> list[str]:
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def made(options: argparse.Namespace, name: str, size: int, device: str = "cpu") -> Prepared:
    return prepare(
        options.dataset,
        options.data_path,
        name,
        embedding_size=WIDTH,
        hidden_size=WIDTH,
        train_batch_size=size,
        use_gpu=device == "cuda",
    )


def measure(options: argparse.Namespace, number: int) -> str:
    """Measure all but the ratios with a number of threads."""
    lines = [f"## {number} thread{'s' if number > 1 else ''}", ""]
    speeds = {device: product_speed(torch.device(device)) for device in devices()}
    reached = ", ".join(f"{speed / 1e9:.0f} GFLOP/s on {name}" for name, speed in speeds.items())
    lines += [f"Products reach {reached} (float32, [1024, 512] x [512, 256]).", ""]
    training, rates = training_table(options, speeds)
    largest = max(options.train_batch_size)
    runs = {name: made(options, name, largest) for name in STAGED}
    for part in (
        training,
        stage_table(options, runs, largest),
        ranking_table(options, runs, rates),
    ):
        lines += [*part, ""]
    return "\n".join(lines[:-1])


def training_table(
    options: argparse.Namespace, speeds: dict[str, float]
) -> tuple[list[str], dict[str, float]]:
    """Training at all windows; also the best rate of each model on the CPU, in events a second."""
    lines = ["| model | device | window | training, events/s | floor, events/s | floor / figure |"]
    lines += ["|---|---|---|---|---|---|"]
    rates: dict[str, float] = {}
    for name in MODELS:
        for size in options.train_batch_size:
            for device, speed in speeds.items():
                run = made(options, name, size, device)
                figure = repeat(options.repeats, lambda run=run: train_events(run, options.events))
                floor = speed / flops_an_event(run.model)
                lines.append(
                    f"| {name} | {device} | {size} | {figure} | {floor:,.0f} "
                    f"| {floor / figure.median:.2f} |"
                )
                if device == "cpu":
                    rates[name] = max(rates.get(name, 0.0), figure.median)
    return lines, rates


def stage_table(options: argparse.Namespace, runs: dict[str, Prepared], size: int) -> list[str]:
    """Time of each stage of training, milliseconds a window."""
    lines = [f"Stages of training, ms a window of {size} events; to look is to prepare all that "
             "depends on no weight:", ""]  # fmt: skip
    lines += [f"| | {' | '.join(STAGES)} |", "|---" * (1 + len(STAGES)) + "|"]
    for name, run in runs.items():
        cells = (f"{statistics.median(values):.2f}" for values in stages(options, run, size))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def stages(options: argparse.Namespace, run: Prepared, size: int) -> list[list[float]]:
    """Give milliseconds a window, for each stage a figure a repeat."""
    spans = list(windows(0, min(options.events, run.n_training), size))
    found: list[list[float]] = [[] for _ in STAGES]
    for _ in range(options.repeats):
        run.session.rewind()
        laps = [timed_window(run, *span) for span in spans]
        for values, seconds in zip(found, zip(*laps, strict=True), strict=True):
            values.append(1e3 * sum(seconds) / len(spans))
    return found


def ranking_table(
    options: argparse.Namespace, runs: dict[str, Prepared], rates: dict[str, float]
) -> list[str]:
    """Replay, ranking and epochs beside those of the peers."""
    lines = [
        "| | training epoch, s | replay, events/s | full ranking, rows/s |",
        "|---|---|---|---|",
    ]
    for name, run in runs.items():
        epoch = run.n_training / rates[name]
        replay = repeat(options.repeats, lambda run=run: replay_events(run, options.events))
        ranking = repeat(options.repeats, lambda run=run: rank_rows(run, options.rows))
        lines.append(f"| {name}, its best window | {epoch:.1f} | {replay} | {ranking} |")
    if options.no_peers:
        return lines
    lines += [peer_row(options, name) for name in PEERS]
    if HAS_TGN:
        run = next(iter(runs.values()))
        memory = repeat(options.repeats, lambda: train_tgn(run, PEER_EVENTS, WIDTH))
        lines.append(f"| TGNMemory, batches of 200, stale inside | {memory} events/s | - | - |")
    return lines


def peer_row(options: argparse.Namespace, name: str) -> str:
    """Training and ranking of a model of RecBole."""
    peer = made(options, name, 256)
    rate = repeat(options.repeats, lambda: train_rows(peer, PEER_BATCHES))
    seconds = len(peer.train._dataset) / rate.median
    ranking = repeat(options.repeats, lambda: rank_rows(peer, options.rows))
    note = f"{seconds:.1f} (from {PEER_BATCHES} batches, {rate} rows/s)"
    return f"| {name} | {note} | - | {ranking} |"


if __name__ == "__main__":
    sys.exit(main())

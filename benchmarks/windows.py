"""Training of models of the stream on one process and on several: milliseconds a window.

    OMP_NUM_THREADS=1 python benchmarks/windows.py --model=IMNNetPlus --dataset=czb005
    OMP_NUM_THREADS=1 torchrun --nproc_per_node=2 benchmarks/windows.py ...     # the same

Each process prints the time that passed and its processor time, over all windows but the first,
and the memory that it has: what it shares with others counts in parts (Pss of Linux).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

import recbole_imn  # noqa: F401  (mends RecBole before anything imports it)

# isort: split
from benchmarks.prepared import Prepared, prepare
from recbole_imn.distributed.ending import stop_watching
from recbole_imn.processes import group
from recbole_imn.processes.group import in_step, leave

# Loops are compiled, or read from their cache, and memory is asked for.
WARMING_UP = 10


def main() -> int:
    options, settings = parse()
    made = prepare(options.dataset, options.data_path, options.model, **settings)
    size = made.train.batch_size
    n = min(options.windows + WARMING_UP, made.n_training // size)
    wall, processor = train(made, size, n)
    shown = f"{1000 * wall:.1f} ms a window, {1000 * processor:.1f} ms of the processor, "
    shown += f"{own_memory() / 2**30:.2f} GB"
    print(f"{options.model}, process {group().rank} of {group().size}: {shown}", flush=True)
    stop_watching()
    leave()
    return 0


def parse() -> tuple[argparse.Namespace, dict[str, object]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="IMNNetPlus")
    parser.add_argument("--dataset", default="czb-mini")
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--train_batch_size", type=int, default=256)
    parser.add_argument("--n_negatives", type=int)
    parser.add_argument("--share_tables", action="store_true")
    options = parser.parse_args()
    names = ["train_batch_size", "n_negatives", "share_tables"]
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return options, {**given, "gpu_id": ""}


def own_memory() -> int:
    """Give bytes of memory; pages that n processes have count as an n-th."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 2**10


def train(made: Prepared, size: int, n: int) -> tuple[float, float]:
    """Train on the first windows; give seconds a window, of the clock and of the processor."""
    session, optimizer = made.session, made.trainer.optimizer
    made.model.train()
    began = 0.0, 0.0
    with in_step():
        for number in range(n):
            if number == WARMING_UP:
                began = time.perf_counter(), time.process_time()
            optimizer.zero_grad()
            (session.train(number * size, (number + 1) * size) / size).backward()
            optimizer.step()
    ended = time.perf_counter(), time.process_time()
    wall, processor = (
        (end - start) / (n - WARMING_UP) for start, end in zip(began, ended, strict=True)
    )
    return wall, processor


if __name__ == "__main__":
    raise SystemExit(main())

"""What an evaluation takes beside a model's scores, ours and RecBole's: a table.

    python benchmarks/evaluation.py

A batch of scores becomes ranks and the first places, in milliseconds of one thread, beside two
floors: reading the scores once, and the sort of their first places, which both share. RecBole
has no exact ranks; where it is to have them, they are counted by torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from time import process_time

import torch
from recbole.evaluator.collector import Collector

import recbole_imn  # noqa: F401  (mends RecBole's collector)
from benchmarks.timing import in_turns, ratio
from recbole_imn.evaluation.full_ranking import count_with_torch, ranks_of_scores

N_ROWS, CATALOGUES, TIMES, REPEATS = 256, (3_000, 30_000, 300_000), 5, 5
SETTINGS = {
    "metrics": ["Recall", "NDCG", "MRR"], "topk": [10, 20], "device": "cpu", "model": "any",
    "eval_args": {"mode": {"valid": "full", "test": "full"}},
}  # fmt: skip


def collected(collect: Callable[..., None], *batch: torch.Tensor) -> None:
    collector = Collector(SETTINGS)
    scores, rows, items = batch
    collect(collector, scores, None, rows, items)


def milliseconds(work: Callable[[], object]) -> float:
    started = process_time()
    for _ in range(REPEATS):
        work()
    return (process_time() - started) / REPEATS * 1000


def line(n_items: int) -> str:
    """Measure one size of catalogue."""
    scores = torch.randn(N_ROWS, n_items)
    rows, items = torch.arange(N_ROWS), torch.randint(1, n_items, (N_ROWS,))
    ours = Collector.eval_batch_collect
    recboles = inspect.unwrap(ours)
    works = {
        "read once": lambda: scores.max(),
        "first places": lambda: torch.topk(scores, 20),
        "ours": lambda: collected(ours, scores, rows, items),
        "RecBole": lambda: collected(recboles, scores, rows, items),
        "ranks": lambda: ranks_of_scores(scores, items),
        "ranks, torch": lambda: count_with_torch(scores, items),
    }
    timed = {name: (lambda work=work: milliseconds(work)) for name, work in works.items()}
    found = in_turns(TIMES, timed)
    middle = {name: sorted(values)[TIMES // 2] for name, values in found.items()}
    cells = [f"{middle[name]:.1f}" for name in works]
    times = [ratio(found["RecBole"], found["ours"]), ratio(found["ranks, torch"], found["ranks"])]
    return f"| {n_items:,} | {' | '.join(cells)} | {times[0]} | {times[1]} |"


def main() -> None:
    torch.set_num_threads(1)
    print(
        "| items | read once | first places | collected, ours | RecBole | ranks, ours | torch "
        "| RecBole / ours | torch / ours |\n" + "|---" * 9 + "|"
    )
    for n_items in CATALOGUES:
        print(line(n_items), flush=True)


if __name__ == "__main__":
    main()

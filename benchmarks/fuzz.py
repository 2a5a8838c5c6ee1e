"""Fuzz the command line with generated inputs, each checked against an independent reading.

    python benchmarks/fuzz.py --runs=2000 [--seed=1] [--only=inter,convert] [--case=N] [--jobs=2]

Every run is a forked child with a folder of its own. It ends as one of: fine; a clear line (exit
status 2, one line that names what is wrong and where); an unclear line; a traceback; silently
wrong (events, users, items, times, purchases, features or settings differ from a reading in
plain Python, a fault was accepted, good input refused, or text executed); a hang. The exit status
is 1 if any run ended in one of the last four. The same seed gives the same runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzzing import arguments, logs, settings, tables
from fuzzing.case import Case, Result
from fuzzing.execute import Child, Setup, remove
from fuzzing.verdict import OUTCOMES, Verdict, judge

MAKERS = {
    "inter": logs.make,
    "convert": tables.make,
    "settings": settings.make,
    "arguments": arguments.make,
}
# Kinds in the order of cases; case N is of kind CYCLE[N % len(CYCLE)].
CYCLE = ("inter", "convert", "settings", "inter", "arguments", "convert", "settings")


def main(argv: list[str] | None = None, setup: Setup | None = None) -> int:
    options = parse(argv)
    prepare()
    numbers = list(chosen(options))
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[str, list[tuple[int, Verdict]]] = {}
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as parent:
        for number, verdict in run_all(numbers, options, Path(parent), setup):
            counts[kind_of(number), verdict.outcome] += 1
            if verdict.is_bad:
                found.setdefault(verdict.signature, []).append((number, verdict))
                if options.verbose:
                    print(f"case {number}: {verdict.outcome}: {verdict.reason}", flush=True)
            elif options.case is not None:
                print(f"case {number}: {verdict.outcome}")
        faults = [describe(group, options, Path(parent), setup) for group in found.values()]
    print("\n".join(faults))
    print(table(counts))
    print(f"{len(numbers)} runs in {time.monotonic() - started:.0f} s, seed {options.seed}")
    return int(bool(found))


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help=f"kinds, with commas: {', '.join(MAKERS)}")
    parser.add_argument("--case", type=int, help="replay one case")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--verbose", action="store_true", help="say every bad run at once")
    options = parser.parse_args(argv)
    options.only = [kind for kind in options.only.split(",") if kind]
    for kind in options.only:
        if kind not in MAKERS:
            parser.error(f"there is no kind {kind!r}")
    return options


def prepare() -> None:
    """Import once what runs need; nothing may start a thread before the forks."""
    os.environ["OMP_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = "1"
    import torch

    import recbole_imn.__main__
    import recbole_imn.command_line  # noqa: F401
    from recbole_imn import settings_files

    torch.set_num_threads(1)
    for name in (
        *(
            "polars",
            "torch._dynamo",
            "tensorboard",
            "torch.utils.tensorboard",
            "thop",
            "recbole.quick_start",
        ),
        *("recbole_imn.data.convert.engine", "recbole_imn.data.convert.table"),
        *("recbole_imn.data.describe.page", "recbole_imn.data.describe.measures"),
    ):
        try:
            __import__(name)
        except ImportError:
            continue
    # Kept by the package once they are read: all property files of RecBole.
    settings_files.all_keys()


def chosen(options: argparse.Namespace) -> Iterator[int]:
    """Give the numbers of the cases to run."""
    if options.case is not None:
        yield options.case
        return
    number = given = 0
    while given < options.runs:
        if not options.only or kind_of(number) in options.only:
            yield number
            given += 1
        number += 1


def kind_of(number: int) -> str:
    """Give the kind of a case."""
    return CYCLE[number % len(CYCLE)]


def make_case(number: int, seed: int, kept: list[int] | None = None) -> Case:
    """Make a case; the same for the same number and seed."""
    kind = kind_of(number)
    return MAKERS[kind](f"{seed}/{kind}/{number}", kept)


def run_all(
    numbers: list[int], options: argparse.Namespace, parent: Path, setup: Setup | None
) -> Iterator[tuple[int, Verdict]]:
    """Run cases, some at a time, and give verdicts in the order in which they end."""
    waiting, running = list(reversed(numbers)), {}
    while waiting or running:
        while waiting and len(running) < options.jobs:
            number = waiting.pop()
            folder = parent / str(number)
            folder.mkdir()
            running[number] = Child(make_case(number, options.seed), folder, setup)
        for number, child in list(running.items()):
            result = child.poll()
            if result is not None:
                del running[number]
                if options.case is not None:
                    print(result.out, result.err, child.case.arguments, child.case.mutations)
                yield number, judge(child.case, result)
                remove(child.folder)
        time.sleep(0.002)


def run_one(case: Case, parent: Path, setup: Setup | None = None) -> tuple[Result, Verdict]:
    """Run a case and wait for it."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    child = Child(case, folder, setup)
    while (result := child.poll()) is None:
        time.sleep(0.002)
    return result, judge(case, result)


def describe(
    group: list[tuple[int, Verdict]], options: argparse.Namespace, parent: Path, setup: Setup | None
) -> str:
    """Say what went wrong, how often, and the fewest changes to a good input that show it."""
    number, verdict = group[0]
    case, verdict = smallest(number, verdict, options.seed, parent, setup)
    changes = "; ".join(case.mutations) or "a good input"
    return (
        f"{len(group)} times {verdict.outcome}: {verdict.reason}\n"
        f"    first: --seed={options.seed} --case={number}: {changes}\n"
        f"    {case.door} {' '.join(case.arguments)}\n"
    )


def smallest(
    number: int, verdict: Verdict, seed: int, parent: Path, setup: Setup | None
) -> tuple[Case, Verdict]:
    """Leave out changes of a case as long as the same goes wrong."""
    case = make_case(number, seed)
    kept = list(range(len(case.mutations)))
    for place in list(kept):
        fewer = [other for other in kept if other != place]
        candidate = make_case(number, seed, fewer)
        _, found = run_one(candidate, parent, setup)
        if found.signature == verdict.signature:
            case, verdict, kept = candidate, found, fewer
    return case, verdict


def table(counts: Counter[tuple[str, str]]) -> str:
    """Lay out kinds, runs and how they ended."""
    kinds = [kind for kind in MAKERS if any(kind == found for found, _ in counts)]
    rows = [("kind", "runs", *OUTCOMES)]
    for kind in [*kinds, "all"]:
        numbers = [
            sum(n for (k, o), n in counts.items() if o == outcome and kind in (k, "all"))
            for outcome in OUTCOMES
        ]
        rows.append((kind, str(sum(numbers)), *map(str, numbers)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())

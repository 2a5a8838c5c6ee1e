"""A log of 44.5 million events on one machine: memory, and the cost of an event by size.

    python benchmarks/scale.py --fraction=1.0
    python benchmarks/scale.py --fraction=0.1 --model=SASRec

The log is synthetic, in the shape of the IJCAI-16 one (benchmarks/scale_stream.py); no figure of
quality from it means anything. Each size runs in a process of its own, whose peak memory is its
own; sizes that were measured are kept beside --out and not measured again. A model of the stream is
trained for an epoch, or for --minutes in the middle of one that would take longer, and then ranks
--rows test rows, for which the whole log is replayed. A model of RecBole takes 200 batches, beside
RecBole's own data set class on as much of the log as that can load. What is written to --out is
what was seen on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import provenance
from benchmarks.scale_stream import EVENTS, write_stream
from recbole_imn.files import replace_text
from recbole_imn.registry import is_ours

# Sizes beside the one that is asked for, for the cost of an event.
BESIDE = (0.01, 0.1)
OUT = Path("results/scale")


def main() -> int:
    options = parse()
    if options.job:
        from benchmarks import scale_jobs

        print(json.dumps(scale_jobs.run(options)))
        return 0
    found = [measured(options, fraction) for fraction in sizes(options)]
    if not is_ours(options.model):
        found.append(largest_of_recbole(options))
    out = options.out.with_name(f"{options.out.name}_{options.model}.md")
    text = page(options, [one for one in found if one])
    replace_text(out, text)
    print(text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fraction", type=float, default=0.01, help="of 44.5 million events")
    parser.add_argument("--model", default="IMNNetPlus")
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, a size")
    parser.add_argument("--rows", type=int, default=20_000, help="test rows that are ranked")
    parser.add_argument("--batches", type=int, default=200, help="of a model of RecBole")
    parser.add_argument("--precision", default="float16", help="of kept states")
    parser.add_argument("--folder", type=Path, default=Path("atomic_files"), help="of the logs")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--alone", action="store_true", help="no smaller sizes beside it")
    parser.add_argument("--job", choices=["stream", "rows", "recbole"], help=argparse.SUPPRESS)
    return parser.parse_args()


def sizes(options: argparse.Namespace) -> list[float]:
    """Give the sizes that are measured, smallest first."""
    if options.alone or not is_ours(options.model):
        return [options.fraction]
    return [*(size for size in BESIDE if size < options.fraction), options.fraction]


def name_of(fraction: float) -> str:
    return f"tmall-shape-{fraction:g}".replace(".", "_")


def measured(options: argparse.Namespace, fraction: float) -> dict[str, Any]:
    """Measure one size in a process of its own, unless --out has it already."""
    kept = options.out.with_name(f"{options.out.name}_{options.model}_{fraction:g}.json")
    if kept.is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    write_stream(options.folder, name_of(fraction), fraction)
    job = "stream" if is_ours(options.model) else "rows"
    found = started(options, fraction, job)
    replace_text(kept, json.dumps(found, indent=1) + "\n")
    return found


def largest_of_recbole(options: argparse.Namespace) -> dict[str, Any]:
    """Load ever less of the log with RecBole's own class, until it fits into what is left."""
    fraction = options.fraction
    while True:
        write_stream(options.folder, name_of(fraction), fraction)
        found = started(options, fraction, "recbole", check=False)
        if found:
            return found
        print(f"RecBole's own data set class cannot load {fraction:g} of the log here")
        fraction /= 2


def started(
    options: argparse.Namespace, fraction: float, job: str, check: bool = True
) -> dict[str, Any]:
    """Run a job; empty if it was killed or failed, where that is allowed."""
    given = {name: value for name, value in vars(options).items() if name not in ("alone", "job")}
    given |= {"fraction": fraction, "job": job}
    arguments = [f"--{name}={value}" for name, value in given.items()]
    command = [sys.executable, "-W", "ignore", __file__, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    print(f"{job} of {options.model}, {fraction:g} of {EVENTS:,} events", file=sys.stderr)
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=check, env=environment)
    lines = run.stdout.strip().splitlines()
    return json.loads(lines[-1]) if run.returncode == 0 and lines else {}


def page(options: argparse.Namespace, found: list[dict[str, Any]]) -> str:
    """Write what was found as a table, a column a size."""
    keys = list(dict.fromkeys(key for one in found for key in one if key != "what"))
    lines = [
        f"# {options.model} on a log in the shape of IJCAI-16's",
        "",
        "Synthetic (benchmarks/scale_stream.py): sizes and tails are those of the log, tastes are "
        f"nobody's. {provenance()}",
        "",
        f"| | {' | '.join(one['what'] for one in found)} |",
        f"|---|{'---|' * len(found)}",
    ]
    for key in keys:
        cells = " | ".join(shown(one.get(key)) for one in found)
        lines.append(f"| {key} | {cells} |")
    costs = [one["training, microseconds an event"] for one in found if COST in one]
    if len(costs) > 1:
        ratio = costs[-1] / costs[0]
        lines += ["", f"An event of the largest log costs {ratio:.2f} times one of the smallest."]
    return "\n".join(lines) + "\n"


COST = "training, microseconds an event"


def shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())

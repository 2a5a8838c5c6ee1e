"""Kills and faults in every command, and whether anything is lost.

    python benchmarks/faults.py [--quick] [--seed=1] [--jobs=2] [--only=tune,train] [--limit=N]

Each command runs on tiny data in a forked process, in a folder where an earlier result lies.
It is killed at steps that it takes in the file system and at random moments, stopped by signals,
or refused by the disk; or its files are damaged afterwards. Then the same command is given again
(``--resume`` for a training that is to go on) and must give what an undisturbed one gives, or
say in one line what is wrong with a damaged file.

* recovered: the command went on by itself, to the same result
* in one line: it refused a damaged file, and said so
* lost: an earlier result is gone or damaged, or the result is another one
* stuck: it cannot go on unless somebody removes files, hangs, leaves scratch or a process behind,
  or ends in a traceback

The exit status is 1 if anything is lost or stuck.
"""

from __future__ import annotations

import argparse
import importlib
import random
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from texttable import Texttable
from tqdm import tqdm

from recbole_imn.settings_files import all_keys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.fault_cases import CASES, Case, Result, knows_resume
from benchmarks.fault_injection import ERRORS, KILL, SIGNALS, Fault, Outcome, run

RECOVERED, IN_ONE_LINE, LOST, STUCK = "recovered", "in one line", "lost", "stuck"
COUNTS = {
    KILL: 22,
    "kill at a moment": 6,
    "SIGTERM": 2,
    "Ctrl-C": 3,
    **dict.fromkeys(ERRORS, 3),
}
DAMAGES = 10
# Commands that take no second get most of the few faults.
QUICK = {KILL: 4, "kill at a moment": 1, "full disk": 1}
QUICK_SLOW = {KILL: 1, "full disk": 1}
QUICK_CASES = ("simulate", "convert", "train", "resume", "benchmark", "tune")
# What the commands import when they need it: once here, and not in every process.
IMPORTS = (
    *("polars", "optuna", "alembic.command", "sqlalchemy.dialects.sqlite", "pyarrow.parquet"),
    *("jinja2", "torch.utils.tensorboard"),
    *(f"recbole_imn.data.convert.{name}" for name in ("engine", "table", "item_files")),
    *("recbole_imn.evaluation.report", "recbole_imn.tuning.study"),
    *(f"recbole_imn.data.convert.{name}" for name in ("ijcai16", "jodie", "retailrocket")),
    *("recbole.quick_start", "recbole.model.sequential_recommender.fpmc", "scipy.stats"),
    # RecBole looks for a model in all of its kinds.
    *(f"recbole.model.{kind}_recommender" for kind in ("general", "context_aware")),
    *("recbole.model.knowledge_aware_recommender", "torch._dynamo", "pandas.io.formats.csvs"),
)


@dataclass(frozen=True)
class Reference:
    """A case undisturbed: before, after, and how long it takes."""

    case: Case
    before: Path
    after: Path
    to_damage: Path
    result: Result
    wholes: tuple[Result, ...]
    outcome: Outcome


@dataclass(frozen=True)
class Verdict:
    """What came of a fault, and why if it is bad."""

    case: str
    kind: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Damage:
    """A file damaged after the command has ended."""

    kind: str
    file: Path  # below the working folder
    seed: int

    def strike(self, path: Path) -> None:
        """Damage the file."""
        data, draw = bytearray(path.read_bytes()), random.Random(self.seed)
        if self.kind == "file cut":
            del data[draw.randrange(1, max(len(data), 2)) :]
        elif self.kind == "file emptied":
            data.clear()
        elif self.kind == "bit flipped" and data:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif self.kind == "file of noise":
            data[:] = draw.randbytes(len(data))
        path.write_bytes(data)


def main(arguments: list[str] | None = None) -> int:
    """Strike every case with every kind of fault, and give the exit status."""
    options = parse(arguments)
    start = time.monotonic()
    torch.set_num_threads(1)
    for name in IMPORTS:
        importlib.import_module(name)
    all_keys()  # remembers what it has read
    with TemporaryDirectory(prefix="faults-") as folder:
        cases = chosen(options)
        context = get_context("fork")
        with context.Pool(options.jobs) as pool:
            jobs = [(case, Path(folder) / str(place)) for place, case in enumerate(cases)]
            references = pool.starmap(undisturbed, jobs, chunksize=1)
            strikes = [
                (reference, fault, Path(folder) / f"fault{place}-{number}")
                for place, reference in enumerate(references)
                for number, fault in enumerate(planned(reference, options))
            ]
            random.Random(options.seed).shuffle(strikes)
            struck = pool.imap_unordered(strike, strikes[: options.limit])
            bar = tqdm(struck, total=len(strikes[: options.limit]), unit="fault")
            verdicts = list(bar)
    print(report(verdicts))
    print(f"{len(verdicts)} faults in {time.monotonic() - start:.0f} s")
    return int(any(verdict.verdict in (LOST, STUCK) for verdict in verdicts))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="about 20 faults")
    parser.add_argument("--seed", type=int, default=1, help="of what strikes when (default 1)")
    parser.add_argument("--jobs", type=int, default=2, help="at a time (default 2)")
    parser.add_argument("--limit", type=int, help="faults at most, drawn from all")
    parser.add_argument("--only", help="cases, with commas between")
    return parser.parse_args(arguments)


def chosen(options: argparse.Namespace) -> list[Case]:
    names = options.only.split(",") if options.only else [case.name for case in CASES]
    if options.quick:
        names = [name for name in names if name in QUICK_CASES]
    cases = [case for case in CASES if case.name in names]
    if not knows_resume():
        print("this version knows no --resume: the case 'resume' is left out", file=sys.stderr)
        cases = [case for case in cases if case.name != "resume"]
    return cases


def undisturbed(case: Case, folder: Path) -> Reference:
    """Run a case without a fault."""
    before, after = folder / "before", folder / "after"
    before.mkdir(parents=True)
    require(case, run(lambda: case.prepare() or 0, before))
    shutil.copytree(before, after)
    outcome = run(case.command, after)
    require(case, outcome)
    to_damage = after
    if case.is_stopped:
        to_damage = folder / "stopped"
        shutil.copytree(before, to_damage)
        run(case.command, to_damage, Fault(KILL, outcome.steps * 2 // 3))
    wholes = (case.whole(before), case.whole(after))
    return Reference(case, before, after, to_damage, case.result(after), wholes, outcome)


def require(case: Case, outcome: Outcome) -> None:
    if outcome.status != 0:
        raise RuntimeError(f"{case.name} fails without any fault:\n{outcome.err}")


def planned(reference: Reference, options: argparse.Namespace) -> list[Fault | Damage]:
    """Spread the faults over all steps and moments of a command, damages over its files."""
    draw = random.Random(f"{options.seed} {reference.case.name}")
    faults: list[Fault | Damage] = []
    fast = reference.case.is_fast
    counts = COUNTS if not options.quick else QUICK if fast else QUICK_SLOW
    for kind, count in counts.items():
        for place in range(count):
            if kind in SIGNALS:
                seconds = (place + draw.random()) / count * reference.outcome.seconds
                faults.append(Fault(kind, seconds=seconds))
            else:
                step = 1 + int((place + draw.random()) / count * reference.outcome.steps)
                faults.append(Fault(kind, step))
    kinds = ("bit flipped", "file cut", "file emptied", "file of noise")
    files = reference.case.damaged(reference.to_damage)
    damages = [
        Damage(kind, file.relative_to(reference.to_damage), draw.randrange(10**6))
        for kind in kinds
        for file in files
    ]
    count = DAMAGES if not options.quick else int(fast)
    return faults + draw.sample(damages, min(count, len(damages)))


def strike(job: tuple[Reference, Fault | Damage, Path]) -> Verdict:
    """Let a fault strike a copy of what was there before, go on, and judge."""
    reference, fault, folder = job
    damaged = isinstance(fault, Damage)
    shutil.copytree(reference.to_damage if damaged else reference.before, folder)
    try:
        judge = judge_damage if damaged else judge_fault
        verdict, reason = judge(reference, fault, folder)
    except Exception as error:  # whatever it is, it is a finding about this fault
        verdict, reason = LOST, f"{type(error).__name__}: {error}"
    shutil.rmtree(folder)
    about = f"{fault}: {reason}" if verdict in (LOST, STUCK) else ""
    return Verdict(reference.case.name, fault.kind, verdict, about)


def judge_fault(reference: Reference, fault: Fault, folder: Path) -> tuple[str, str]:
    case = reference.case
    struck = run(case.command, folder, fault)
    if struck.status is None:
        return STUCK, f"hangs, or a process lives on\n{struck.err}"
    if struck.has_traceback or (fault.kind in ERRORS and struck.status and not struck.is_line):
        return STUCK, f"no clear line, exit status {struck.status}\n{struck.err}"
    scratch = [name for name in leftovers(folder) if name.endswith(".part")]
    if fault.kind == "Ctrl-C" and scratch:
        return STUCK, f"leaves {scratch} after Ctrl-C"
    if case.whole(folder) not in reference.wholes:
        return LOST, "an earlier result is gone or damaged"
    again = run(case.again, folder)
    if again.status != 0:
        return STUCK, f"cannot go on, exit status {again.status}\n{again.err}"
    return judge_result(reference, folder)


def judge_damage(reference: Reference, damage: Damage, folder: Path) -> tuple[str, str]:
    case, path = reference.case, folder / damage.file
    read = case.reads(path)
    expected = run(read, folder) if read else None
    damage.strike(path)
    if read:
        found = run(read, folder)
        if not found.is_line and (found.status, found.out) != (0, expected.out):
            verdict = LOST if found.status == 0 else STUCK
            return verdict, f"read otherwise, exit status {found.status}\n{found.err}"
    again = run(case.again, folder)
    if again.is_line:
        return IN_ONE_LINE, again.err
    if again.status != 0 or again.has_traceback:
        return STUCK, f"no clear line, exit status {again.status}\n{again.err}"
    return compare(reference, folder)


def judge_result(reference: Reference, folder: Path) -> tuple[str, str]:
    if reference.case.whole(folder) not in reference.wholes:
        return LOST, "an earlier result is gone or damaged by going on"
    return compare(reference, folder)


def compare(reference: Reference, folder: Path) -> tuple[str, str]:
    result = reference.case.result(folder)
    if result != reference.result:
        keys = {*result, *reference.result}
        changed = [key for key in keys if result.get(key) != reference.result.get(key)]
        return LOST, f"another result: {sorted(changed)}"
    if leftovers(folder):
        return STUCK, f"leaves {leftovers(folder)}"
    return RECOVERED, ""


def leftovers(folder: Path) -> list[str]:
    """Names of what only a command that is broken off may leave."""
    endings = (".part", ".ready", "-journal", ".state", ".lock")
    return sorted(path.name for path in folder.rglob("*") if path.name.endswith(endings))


def report(verdicts: list[Verdict]) -> str:
    """Lay out how many faults of each kind came to what, and all that is bad."""
    columns = (RECOVERED, IN_ONE_LINE, LOST, STUCK)
    counts = Counter((v.case, v.kind, v.verdict) for v in verdicts)
    rows = sorted({(v.case, v.kind) for v in verdicts})
    table = Texttable(max_width=110)
    table.set_deco(Texttable.HEADER)
    table.set_cols_dtype(["t", "t", *"i" * 5])
    table.set_cols_align(["l", "l", *"r" * 5])
    table.header(["command", "fault", "count", *columns])
    for case, kind in rows:
        found = [counts[case, kind, column] for column in columns]
        table.add_row([case, kind, sum(found), *found])
    totals = [sum(v.verdict == column for v in verdicts) for column in columns]
    table.add_row(["all", "", len(verdicts), *totals])
    bad = [f"{v.verdict}: {v.case}: {v.reason}" for v in verdicts if v.verdict in (LOST, STUCK)]
    return "\n\n".join([*bad, str(table.draw())])


if __name__ == "__main__":
    sys.exit(main())

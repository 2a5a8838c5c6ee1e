"""Faults planted into the package in a child process, and what the fuzzer says of each.

Run as a program: forks belong into a process in which no library has started threads.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT)]

import fuzz  # noqa: E402
from fuzzing import arguments, logs, settings, tables  # noqa: E402
from fuzzing.case import Case  # noqa: E402

NUMBERS = 300


def good(make: Callable[..., Case], wanted: Callable[[Case], bool] = lambda case: True) -> Case:
    """Give the first case that nothing is wrong with."""
    for number in range(NUMBERS):
        case = make(f"planted/{number}", [])
        expectation = case.expectation
        if not (expectation.faults or expectation.may_fail) and wanted(case):
            return case
    raise LookupError("no case is good")


def faulty(mutation: str) -> Case:
    """Give the first log with one kind of fault that must be refused."""
    for number in range(NUMBERS):
        seed = f"planted/{number}"
        names = [done.partition(":")[0] for done in logs.make(seed, None).mutations]
        if mutation in names:
            case = logs.make(seed, [names.index(mutation)])
            if case.expectation.faults:
                return case
    raise LookupError(mutation)


# -- faults of the package ----------------------------------------------------------------


def reads(change: Callable) -> None:
    """Change what the reader of atomic files gives."""
    import recbole_imn.data.log_file as log_file

    original = log_file.read_frame
    log_file.read_frame = lambda *args, **kwargs: change(original(*args, **kwargs))


def drop_a_row() -> None:
    reads(lambda frame: frame.drop(frame.index[7]) if "timestamp" in frame else frame)


def shift_a_time() -> None:
    def shift(frame):
        if "timestamp" in frame:
            frame.loc[frame.index[-1], "timestamp"] += 1
        return frame

    reads(shift)


def swap_two_items() -> None:
    def swap(frame):
        if "timestamp" in frame:
            frame["item_id"] = frame["item_id"].to_numpy()[::-1]
        return frame

    reads(swap)


def invert_purchases() -> None:
    def invert(frame):
        if "purchase" in frame:
            frame["purchase"] = 1 - frame["purchase"]
        return frame

    reads(invert)


def scale_a_feature() -> None:
    import recbole_imn.data.loading as loading

    original = loading.read_frame

    def read(path, *args, **kwargs):
        frame = original(path, *args, **kwargs)
        if "weight" in frame:
            frame.loc[frame.index[0], "weight"] *= 1.5
        return frame

    loading.read_frame = read


def swallow_an_error() -> None:
    import recbole_imn.data.log_file as log_file

    log_file.check_log = lambda *args: None


def raise_by_accident() -> None:
    reads(lambda frame: {}["purchase"])


def raise_a_raw_text() -> None:
    from recbole_imn.errors import DataError

    def fail(frame):
        raise DataError("'NoneType' object has no attribute 'columns'")

    reads(fail)


def name_another_line() -> None:
    import recbole_imn.data.atomic as atomic

    original = atomic._first
    atomic._first = lambda bad, column: (original(bad, column)[0] + 1, "x")


def refuse_everything() -> None:
    from recbole_imn.errors import DataError

    def fail(frame):
        raise DataError("fz.inter, line 2: not today")

    reads(fail)


def never_end() -> None:
    reads(lambda frame: [None for _ in iter(int, 1)])


def execute() -> None:
    Path("PWNED").touch()


def leave_the_folder() -> None:
    Path("../elsewhere").touch()


def ignore_a_setting() -> None:
    from recbole_imn.model.settings import NetworkSettings

    original = NetworkSettings.from_mapping.__func__
    changed = classmethod(lambda cls, values: replace(original(cls, values), temperature=7.5))
    NetworkSettings.from_mapping = changed


def lose_a_converted_row() -> None:
    from recbole_imn.data.convert.sorting import SortedRuns

    original = SortedRuns.add
    SortedRuns.add = lambda self, events: original(self, events.tail(-1))


def shift_converted_times() -> None:
    import recbole_imn.data.convert.output as output

    original = output.seconds
    output.seconds = lambda times, *args: original(times + 1_000_000, *args)


def has_weights(case: Case) -> bool:
    text = case.files["own.yaml"].decode()
    return '"item_features"' in text and '"weight"' in text.partition('"item_features"')[2]


def has_purchases(case: Case) -> bool:
    return b"purchase" in case.files["data/fz/fz.inter"].partition(b"\n")[0]


def has_temperature(case: Case) -> bool:
    return "'temperature'" in case.mutations[0] and case.mutations[0].startswith("good")


def plants() -> dict[str, tuple[Case, Callable[[], None] | None]]:
    """Give a case and a planted fault for each name."""
    log, table = good(logs.make), good(tables.make)
    return {
        "good log": (log, None),
        "good table": (table, None),
        "drop a row": (log, drop_a_row),
        "shift a time": (log, shift_a_time),
        "swap items": (log, swap_two_items),
        "invert purchases": (good(logs.make, has_purchases), invert_purchases),
        "scale a feature": (good(logs.make, has_weights), scale_a_feature),
        "swallow an error": (faulty("bad flag"), swallow_an_error),
        "name another line": (faulty("bad flag"), name_another_line),
        "raise by accident": (log, raise_by_accident),
        "raise a raw text": (faulty("bad flag"), raise_a_raw_text),
        "refuse everything": (log, refuse_everything),
        "never end": (replace(log, limit=3.0), never_end),
        "execute": (good(arguments.make), execute),
        "leave the folder": (log, leave_the_folder),
        "ignore a setting": (good(settings.make, has_temperature), ignore_a_setting),
        "lose a converted row": (table, lose_a_converted_row),
        "shift converted times": (table, shift_converted_times),
    }


def main() -> None:
    fuzz.prepare()
    found = {}
    with tempfile.TemporaryDirectory() as parent:
        for name, (case, setup) in plants().items():
            _, verdict = fuzz.run_one(case, Path(parent), setup)
            found[name] = [verdict.outcome, verdict.reason]
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""Cases of atomic files: logs, items and users, read by the training command."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from fuzzing.case import Case, Expectation, Result, mutate
from fuzzing.checks import (
    feature_fault,
    in_time_order,
    log_fault,
    row_fault,
    split_rows,
)
from fuzzing.log_mutations import MUTATIONS
from fuzzing.reading import Fault, Plain, cell_faults, is_odd_number, number, read_plain

NAME = "fz"
OURS = ("IMNNet", "IMNNetPlus", "IMNNetPlus", "IMN_NCE", "IMN_MSE", "IMNNetStar", "JODIE")
TRIVIAL = ("RecentHistory", "LastItem", "Popularity")
HOST = ("SASRec", "GRU4Rec", "FPMC", "NextItNet", "NARM", "STAMP", "DIEN", "BERT4Rec")
SMALL = {"embedding_size": 8, "hidden_size": 8, "inner_size": 8, "n_heads": 1, "n_layers": 1}
RATIOS = (0.8, 0.1, 0.1)
# Beyond it, a number of seconds is no time of this world; a warning or a refusal is right.
FAR = 1e11


@dataclass
class Sheet:
    """A file in the making.

    Attributes
    ----------
    header : list of str
        ``field:type``.
    rows : list of list of str
    newline, encoding : str
    edits : list of callable
        Applied to the bytes at last.
    """

    header: list[str]
    rows: list[list[str]]
    newline: str = "\n"
    encoding: str = "utf-8"
    edits: list[Any] = field(default_factory=list)

    def place(self, name: str) -> int | None:
        """Give the position of a field."""
        names = [column.partition(":")[0] for column in self.header]
        return names.index(name) if name in names else None

    def data(self) -> bytes:
        """Give the file."""
        lines = ["\t".join(self.header), *("\t".join(row) for row in self.rows)]
        data = (self.newline.join(lines) + self.newline).encode(self.encoding, "replace")
        for edit in self.edits:
            data = edit(data)
        return data


@dataclass
class LogBase:
    """A good log, which mutations spoil."""

    model: str
    inter: Sheet
    item: Sheet | None
    user: Sheet | None
    settings: dict[str, Any]
    options: list[str] = field(default_factory=list)
    # Why the settings must be refused, and what the line must name.
    refusals: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    is_dubious: bool = False


def make(seed: str, kept: list[int] | None) -> Case:
    """Make a case."""
    base = good_log(Random(seed))
    done = mutate(base, MUTATIONS, seed, kept)
    files = {f"data/{NAME}/{NAME}.inter": base.inter.data()}
    for suffix, sheet in (("item", base.item), ("user", base.user)):
        if sheet is not None:
            files[f"data/{NAME}/{NAME}.{suffix}"] = sheet.data()
    files["own.yaml"] = json.dumps(base.settings).encode()
    arguments = [
        f"--model={base.model}",
        f"--dataset={NAME}",
        "--data_path=data",
        "--config_files=own.yaml",
        *base.options,
    ]
    return Case("run", arguments, files, expect(base, files), done)


def good_log(rng: Random) -> LogBase:
    """Make a log that nothing is wrong with, of tens to a few hundred rows."""
    model = rng.choices((rng.choice(OURS), rng.choice(TRIVIAL), rng.choice(HOST)), (6, 2, 2))[0]
    users = [f"u{number}" for number in range(rng.randint(4, 12))]
    items = [f"i{number}" for number in range(rng.randint(8, 25))]
    extra = [name for name in ("behavior", "purchase", "price") if rng.random() < 0.7]
    header = ["user_id:token", "item_id:token", "timestamp:float"]
    header += [f"{name}:{'token' if name == 'behavior' else 'float'}" for name in extra]
    rows = []
    time = rng.choice((0.0, 1_600_000_000.0, 1_700_000_000.25, 5.5))
    step = rng.choice((1, 60, 3600, 86400))
    for _ in range(rng.randint(60, 200)):
        time += rng.choice((0, step, step * rng.random()))
        cells = {"behavior": rng.choice(("view", "bid", "buy")), "purchase": str(rng.randint(0, 1))}
        cells["price"] = f"{rng.lognormvariate(3, 1):.2f}"
        row = [rng.choice(users), rng.choice(items), repr(time)]
        rows.append(row + [cells[name] for name in extra])
    loaded: dict[str, list[str]] = {"inter": ["user_id", "item_id", "timestamp", *extra]}
    settings: dict[str, Any] = {"load_col": loaded, "epochs": 1, "topk": [5]}
    settings |= {"valid_metric": "NDCG@5", "show_progress": False, **SMALL}
    if "price" in extra and rng.random() < 0.7:
        settings["event_features"] = ["price"]
    item = _good_items(rng, items, settings) if rng.random() < 0.6 else None
    user = None
    if rng.random() < 0.15:
        user = Sheet(["user_id:token", "age:float"], [[u, str(rng.randint(18, 80))] for u in users])
        loaded["user"] = ["user_id", "age"]
    return LogBase(model, Sheet(header, rows), item, user, settings)


def _good_items(rng: Random, items: list[str], settings: dict[str, Any]) -> Sheet:
    rows = []
    for item in items:
        image = " ".join(f"{rng.gauss(0, 1):.3f}" for _ in range(3))
        tags = " ".join(rng.sample(("red", "blue", "big", "old"), rng.randint(1, 3)))
        stay = ["-1e12", "inf"]
        rows.append(
            [item, rng.choice("abc"), f"{rng.lognormvariate(3, 1):.2f}", tags, image, *stay]
        )
    header = ["item_id:token", "brand:token", "weight:float", "tags:token_seq", "image:float_seq"]
    header += ["listed_at:float_seq", "delisted_at:float_seq"]
    names = [column.partition(":")[0] for column in header[1:5]]
    chosen = [name for name in names if rng.random() < 0.6]
    settings["load_col"]["item"] = ["item_id", *chosen]
    if chosen:
        settings["item_features"] = chosen
    if rng.random() < 0.3:
        settings["candidates"] = "on_shelf"
    return Sheet(header, rows)


def expect(base: LogBase, files: dict[str, bytes]) -> Expectation:
    """Read the files independently and say what must come of them."""
    inter = read_plain(files[f"data/{NAME}/{NAME}.inter"], base.inter.encoding)
    found = [(f"{NAME}.inter", fault) for fault in inter_faults(inter, base.settings)]
    item = None
    loaded = base.settings["load_col"]
    if "item" in loaded and base.item is not None:
        item = read_plain(files[f"data/{NAME}/{NAME}.item"], base.item.encoding)
        found += [(f"{NAME}.item", fault) for fault in item_faults(item, base.settings)]
    if base.refusals:
        why, _ = base.refusals[0]
        named = tuple(name for _, group in base.refusals for name in group)
        return Expectation([why], [(*named, *_places(found))])
    if found:
        faults = [f"{file}, line {fault.line}: {fault.why}" for file, fault in found]
        files = [f"{NAME}.inter", *(file for file, _ in found)]
        return Expectation(faults, [files, _places(found) + _far_places(inter)])
    times = [number(row["timestamp"]) or 0.0 for _, row in inter.rows]
    is_far = any(abs(time) > FAR for time in times)
    may_fail = base.is_dubious or is_far or not _is_enough(inter, item)
    may_fail = may_fail or any(is_odd_number(row.get("price", "")) for _, row in inter.rows)

    def check(result: Result) -> str | None:
        return _check(base, inter, item, is_far, result)

    return Expectation(may_fail=may_fail, check=check)


def _places(found: list[tuple[str, Fault]]) -> list[str]:
    """Give what a line may name: any faulty row, or the file where it is faulty as a whole."""
    lines = [f"line {fault.line}:" for _, fault in found if fault.line]
    lines += [f"line {fault.line} " for _, fault in found if fault.line]
    return lines + [file for file, fault in found if fault.line <= 1]


def _far_places(inter: Plain) -> list[str]:
    """Give the rows whose time may be refused."""
    far = [line for line, row in inter.rows if abs(number(row.get("timestamp", "")) or 0) > FAR]
    return [f"line {line}:" for line in far]


def inter_faults(inter: Plain, settings: dict[str, Any]) -> list[Fault]:
    """Find what is wrong in the log."""
    faults = list(inter.faults)
    checks = {"user_id": "id", "item_id": "id", "timestamp": "time"}
    missing = [name for name in checks if name not in inter.header]
    if missing and not faults:
        return [Fault(0, f"no column {missing}")]
    wanted = {"user_id": "token", "item_id": "token", "timestamp": "float"}
    wanted |= {"purchase": "float"} if "purchase" in settings["load_col"]["inter"] else {}
    for name, kind in wanted.items():
        if inter.header.get(name, kind) != kind:
            faults.append(Fault(1, f"{name} is {inter.header[name]}"))
    if "purchase" in settings["load_col"]["inter"]:
        checks["purchase"] = "flag"
    for name in settings["load_col"]["inter"]:
        if inter.header.get(name) == "float" and name not in checks:
            is_feature = name in settings.get("event_features", [])
            checks[name] = "number" if is_feature else "any number"
    faults += cell_faults(inter, checks)
    users = [row["user_id"] for _, row in inter.rows if "user_id" in row]
    if not faults and len(set(users)) == len(users):
        faults.append(Fault(0, "no user with two events"))
    return faults


def item_faults(item: Plain, settings: dict[str, Any]) -> list[Fault]:
    """Find what is wrong in the table of items."""
    faults = list(item.faults)
    if "item_id" not in item.header:
        return faults or [Fault(0, "no column item_id")]
    if item.header["item_id"] != "token":
        faults.append(Fault(1, "item_id is no token"))
    checks = {"item_id": "id"}
    kinds = {"float": "number", "float_seq": "numbers"}
    for name in settings.get("item_features", []):
        if item.header.get(name) in kinds:
            checks[name] = kinds[item.header[name]]
    shelf = ("listed_at", "delisted_at")
    if settings.get("candidates") == "on_shelf":
        if any(item.header.get(name) != "float_seq" for name in shelf):
            faults.append(Fault(0, "no stays on the shelf"))
        checks |= dict.fromkeys(shelf, "moments")
    faults += cell_faults(item, checks)
    if settings.get("candidates") == "on_shelf" and set(shelf) <= set(item.header):
        faults += _stay_faults(item)
    return faults


def _stay_faults(item: Plain) -> list[Fault]:
    faults = []
    for line, row in item.rows:
        starts, ends = (_moments(row[name]) for name in ("listed_at", "delisted_at"))
        if len(starts) != len(ends) or any(
            end < start for start, end in zip(starts, ends, strict=True)
        ):
            faults.append(Fault(line, "stays that do not fit"))
    return faults


def _moments(cell: str) -> list[float]:
    """Give the numbers of a cell; none where one is no number, a fault of its own."""
    try:
        return [float(part) for part in cell.split()]
    except ValueError:
        return []


def _repeated(item: Plain) -> int | None:
    """Give the first line of an item that an earlier line has; of each, the first counts."""
    known: set[str] = set()
    for line, row in item.rows:
        if row["item_id"] in known:
            return line
        known.add(row["item_id"])
    return None


def _is_enough(inter: Plain, item: Plain | None) -> bool:
    """Whether every part has rows and there are items to rank."""
    users = [row["user_id"] for row in in_time_order(inter)]
    items = {row["item_id"] for _, row in inter.rows}
    items |= set(item.column("item_id")) if item else set()
    has_items = item is None or bool(item.rows)
    return all(split_rows(users, RATIOS)) and len(items) >= 5 and len(users) > 20 and has_items


def _check(
    base: LogBase, inter: Plain, item: Plain | None, is_far: bool, result: Result
) -> str | None:
    if not result.seen.get("log"):
        return None if base.is_dubious else "no stream was made"
    seen = result.seen["log"]
    fault = log_fault(inter, item, seen) or row_fault(inter, seen, RATIOS)
    said = (result.out + result.err).lower()
    if not fault and is_far and "millisecond" not in said:
        fault = "times that are no seconds pass without a word"
    if not fault and "nan" in result.out.split():
        fault = "a metric is not a number"
    if not fault and item is not None:
        line = _repeated(item)
        if line is not None and f"line {line}:" not in result.err:
            fault = f"line {line} repeats an item without a word"
    return fault or _features(base, inter, item, seen)


def _features(base: LogBase, inter: Plain, item: Plain | None, seen: dict[str, Any]) -> str | None:
    n_training = seen["bounds"][1]
    rows = in_time_order(inter)
    for name in base.settings.get("event_features", []):
        cells = [row[name] for row in rows]
        training = [place < n_training for place in range(len(rows))]
        fault = feature_fault(name, inter.header[name], cells, training, seen["features"])
        if fault:
            return f"event_features: {fault}"
    if item is None:
        return None
    trained = set(seen["item"][:n_training])
    place = {token: number for number, token in enumerate(seen["items"])}
    first: dict[str, dict[str, str]] = {}
    for _, row in item.rows:
        first.setdefault(row["item_id"], row)
    names = list(first)
    vectors = [seen["item_features"][place[name]] for name in names]
    for name in base.settings.get("item_features", []):
        training = [item_id in trained for item_id in names]
        cells = [first[item_id][name] for item_id in names]
        fault = feature_fault(name, item.header[name], cells, training, vectors)
        if fault:
            return f"item_features: {fault}"
    return None

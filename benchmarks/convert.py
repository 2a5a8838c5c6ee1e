"""Speed and memory of the converter on a log of the size and shape of the Tmall one.

    python benchmarks/convert.py --rows=44500000 [--folder=DIR]

Writes a synthetic file in the format of ijcai2016_taobao.csv (1.16 million users, 2.35 million
items, five months of days, rows in no order of time), converts it in a child process, and
checks that the output is sorted and holds the same rows: a sum over a hash of every row is
taken before and after. The floor is what reading the input and writing the output take at the
speed that this disk reaches on a plain file. The table goes to results/convert.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import polars as pl

USERS, ITEMS, SELLERS, CATEGORIES = 1_160_000, 2_350_000, 10_000, 72
FIRST_DAY, DAYS = np.datetime64("2015-07-01"), 153
BUY_SHARE = 0.08
# Share of rows that repeat the row before: an item clicked again on the same day.
AGAIN_SHARE = 0.05
PART = 1_000_000
MEGABYTE = 1e6
NAME = "synthetic"


def main() -> int:
    options = parse()
    with TemporaryDirectory(dir=options.folder, prefix="convert-benchmark-") as folder:
        report = measure(Path(folder), options.rows, options.target)
    print(report)
    Path("results").mkdir(exist_ok=True)
    Path("results/convert.md").write_text(report + "\n", encoding="utf-8")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=44_500_000)
    parser.add_argument("--folder", type=Path, help="where the files go (default: temporary)")
    parser.add_argument("--target", type=int, default=500_000, help="rows a second")
    return parser.parse_args()


def measure(folder: Path, rows: int, target: int) -> str:
    log = folder / "ijcai2016_taobao.csv"
    before = write_log(log, rows)
    seconds, processor, peak = convert(log, folder)
    output = folder / NAME / f"{NAME}.inter"
    found, after, is_sorted = read_output(output)
    if (found, after, is_sorted) != (rows, before, True):
        raise SystemExit(
            f"the output is wrong: {found:,} of {rows:,} rows, checksum {after} for {before}, "
            f"sorted: {is_sorted}"
        )
    sizes = log.stat().st_size / MEGABYTE, output.stat().st_size / MEGABYTE
    write, read = disk_speed(folder / "probe", int(sum(sizes) * MEGABYTE / 4))
    floor = sizes[0] / read + sizes[1] / write
    threads = pl.thread_pool_size()
    lines = [
        f"# Converting {rows:,} rows of the ijcai16 format",
        "",
        f"{platform.machine()}, Python {platform.python_version()}, polars {version('polars')}, "
        f"{threads} threads; commit {commit()}. One run; times are of the whole command, the "
        f"start of Python and RecBole included. {os.getloadavg()[0]:.1f} programs wanted to run "
        f"on {os.cpu_count()} processors at its end.",
        "",
        "| | |",
        "|---|---|",
        f"| rows/s | {rows / seconds:,.0f} (target {target:,}) |",
        f"| seconds | {seconds:.1f} |",
        f"| processor seconds, and rows a processor second | {processor:.1f}, "
        f"{rows / processor:,.0f} |",
        f"| peak memory of the process, GB | {peak / 1e9:.2f} (target below 6) |",
        f"| input, output, MB | {sizes[0]:,.0f}, {sizes[1]:,.0f} |",
        f"| disk, MB/s, read and written | {read:,.0f} (just written, so partly from memory), "
        f"{write:,.0f} (with fsync) |",
        f"| floor: input read, output written, s | {floor:.1f} |",
        f"| seconds / floor | {seconds / floor:.1f} |",
        f"| output sorted by time | {is_sorted} |",
        f"| sum of row hashes before, after | {before:016x}, {after:016x} |",
    ]
    return "\n".join(lines)


def write_log(path: Path, rows: int) -> int:
    """Write the file and give the sum of its rows' hashes."""
    rng = np.random.default_rng(1)
    seller = rng.integers(1, SELLERS + 1, ITEMS)
    category = rng.integers(1, CATEGORIES + 1, ITEMS)
    names = np.array([int(str(FIRST_DAY + day).replace("-", "")) for day in range(DAYS)])
    total = 0
    with path.open("wb") as file:
        file.write(b"user_id,seller_id,item_id,category_id,online_action_id,time_stamp\n")
        for start in range(0, rows, PART):
            n = min(PART, rows - start)
            # Few users and items make most of the rows.
            user = (USERS * rng.random(n) ** 1.5).astype(np.int64)
            item = (ITEMS * rng.random(n) ** 2).astype(np.int64)
            day = rng.integers(0, DAYS, n)
            action = (rng.random(n) < BUY_SHARE).astype(np.int64)
            again = np.arange(n) - (rng.random(n) < AGAIN_SHARE)
            user, item, day, action = (c[again] for c in (user, item, day, action))
            total += hash_sum(user, item, day, action)
            pl.DataFrame(
                [user, seller[item], item, category[item], action, names[day]],
                schema=["user", "seller", "item", "category", "action", "day"],
            ).write_csv(file, include_header=False)
    return total % 2**64


def hash_sum(user: np.ndarray, item: np.ndarray, day: np.ndarray, action: np.ndarray) -> int:
    """Sum a hash of every row; a row's place has no part in it."""
    key = ((user * ITEMS + item) * DAYS + day) * 2 + action
    mixed = key.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return int((mixed ^ (mixed >> np.uint64(31))).sum(dtype=np.uint64))


def convert(log: Path, folder: Path) -> tuple[float, float, int]:
    """Convert in a child process; give seconds, processor seconds and peak memory in bytes."""
    command = [
        sys.executable, "-m", "recbole_imn", "convert", "ijcai16",
        f"--input={log}", f"--name={NAME}", f"--output={folder}",
    ]  # fmt: skip
    start = perf_counter()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"the converter failed with status {child.returncode}")
    # Linux counts in kibibytes, macOS in bytes.
    processor = usage.ru_utime + usage.ru_stime
    return seconds, processor, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def read_output(path: Path) -> tuple[int, int, bool]:
    """Give the number of rows, the sum of their hashes and whether times never decrease."""
    rows, total, last, is_sorted = 0, 0, -1, True
    scan = pl.scan_csv(path, separator="\t", quote_char=None)
    for batch in scan.collect_batches(maintain_order=True):
        user, item, time = (
            batch[f"{name}"].to_numpy()
            for name in ("user_id:token", "item_id:token", "timestamp:float")
        )
        action = (batch["behavior:token"] == "buy").to_numpy().astype(np.int64)
        total += hash_sum(user, item, (time // 86_400).astype(np.int64), action)
        is_sorted &= bool(time[0] >= last and (np.diff(time) >= 0).all())
        rows, last = rows + len(batch), time[-1]
    return rows, total % 2**64, is_sorted


def disk_speed(path: Path, size: int) -> tuple[float, float]:
    """Write and read a plain file; give MB a second of each."""
    block = os.urandom(1 << 24)
    blocks = max(size // len(block), 1)
    start = perf_counter()
    with path.open("wb") as file:
        for _ in range(blocks):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    written = perf_counter() - start
    start = perf_counter()
    with path.open("rb") as file:
        while file.read(len(block)):
            pass
    read = perf_counter() - start
    size = blocks * len(block)
    return size / MEGABYTE / written, size / MEGABYTE / read


def commit() -> str:
    result = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())

"""The commands that faults are injected into."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from pathlib import Path

from benchmarks.fault_case import Case, Result, in_one_line, log_rows, sums, weights, write_toy
from benchmarks.fault_injection import ForkingSubprocess
from recbole_imn.__main__ import main
from recbole_imn.command_line import main as train
from recbole_imn.data.publishing import settle
from recbole_imn.evaluation.benchmark import conduct
from recbole_imn.settings_files import named_files, read_settings

# Columns in which results of equal runs differ.
TIMED = ("seconds", "events_per_second", "peak_memory_mib", "checkpoint", "environment", "sha256")


class Simulate(Case):
    """A market, over an earlier one."""

    name, folder = "simulate", "data/market"
    is_fast = True

    def _simulate(self, seed: int) -> int:
        options = ["--scale=0.15", "--output=data", "--save-as=market", f"--seed={seed}"]
        return main(["simulate", "czb-mini", *options])

    def prepare(self) -> None:
        self._simulate(1)

    def command(self) -> int:
        return self._simulate(2)

    def result(self, folder: Path) -> Result:
        return sums((folder / self.folder).glob("market.*"))

    def whole(self, folder: Path) -> Result:
        settle(folder / self.folder, "market")
        return self.result(folder)


class SimulateNew(Simulate):
    """A market where there is nothing."""

    name = "simulate (new)"

    def prepare(self) -> None:
        Path("data").mkdir()


class Convert(Case):
    """A conversion with bad rows and a table of items, over an earlier one."""

    name, folder = "convert", "data/shop"
    is_fast = True

    def _convert(self, seed: int) -> int:
        options = ["--user=who", "--item=what", "--time=when", "--behavior=did", "--purchase=buy"]
        more = ["--items=items.csv", "--max-bad=0.1", "--mapping=map.yaml"]
        source = [f"--input=log{seed}.csv", "--name=shop", "--output=data"]
        return main(["convert", "csv", *source, *options, *more])

    def _write_tables(self) -> None:
        for seed in (1, 2):
            rows = [",".join(map(str, row[:4])) for row in log_rows(seed)]
            text = "\n".join(["who,what,when,did", *rows, "u1,i1,noon,view"]) + "\n"
            Path(f"log{seed}.csv").write_text(text)
        items = "".join(f"i{item},b{item % 3},{item}.5\n" for item in range(1, 25))
        Path("items.csv").write_text("what,brand,price\n" + items)
        Path("map.yaml").write_text(
            "items:\n  columns: {item_id: what}\n  item_columns:\n"
            "    brand: {column: brand, type: token}\n    price: {column: price, type: float}\n"
        )
        Path("data").mkdir(exist_ok=True)

    def prepare(self) -> None:
        self._write_tables()
        self._convert(1)

    def command(self) -> int:
        return self._convert(2)

    def result(self, folder: Path) -> Result:
        return sums((folder / self.folder).glob("shop.*"))

    def whole(self, folder: Path) -> Result:
        settle(folder / self.folder, "shop")
        return self.result(folder)


class ConvertNew(Convert):
    """A conversion where there is nothing."""

    name = "convert (new)"

    def prepare(self) -> None:
        self._write_tables()


class Train(Case):
    """A training beside the checkpoint of an earlier one."""

    name, folder = "train", "saved"

    def _train(self, *options: str) -> int:
        files = ["--config_files=small.yaml", "--data_path=data", "--show_progress=False"]
        return train(["--model=IMNNet", "--dataset=toy", *files, *options])

    def prepare(self) -> None:
        write_toy()
        self._train("--epochs=1", "--seed=5")
        # Names of checkpoints hold the second in which they were made.
        for file in Path("saved").iterdir():
            file.rename(file.with_name(f"earlier-{file.name}"))

    def command(self) -> int:
        return self._train("--epochs=3")

    def result(self, folder: Path) -> Result:
        files = [file for file in self._checkpoints(folder) if "earlier" not in file.name]
        newest = max(files, key=lambda file: file.stat().st_mtime_ns)
        return {"weights": weights(newest)}

    def whole(self, folder: Path) -> Result:
        return sums((folder / "saved").glob("earlier*"))

    def damaged(self, folder: Path) -> list[Path]:
        return [file for file in self._checkpoints(folder) if "earlier" not in file.name]

    def reads(self, path: Path) -> Callable[[], int]:
        return in_one_line(lambda: print(weights(path)))

    @staticmethod
    def _checkpoints(folder: Path) -> list[Path]:
        """Give the checkpoints of best epochs; states to go on from have other endings."""
        return sorted((folder / "saved").glob("*.pth"))


class Resume(Train):
    """A training that goes on where it was stopped, or begins if it had not begun."""

    name = "resume"
    is_stopped = True

    def again(self) -> int:
        err, sys.stderr = sys.stderr, StringIO()
        try:
            status = self._train("--epochs=3", "--resume")
        finally:
            said, sys.stderr = sys.stderr.getvalue(), err
        if "nothing to resume" in said:
            return self.command()
        print(said, file=sys.stderr)
        return status

    def damaged(self, folder: Path) -> list[Path]:
        files = (folder / "saved").rglob("*")
        return sorted(file for file in files if file.is_file() and "earlier" not in file.name)

    def reads(self, path: Path) -> None:
        return None


class Benchmark(Case):
    """Three runs, of which one was finished before; each in a process that is forked."""

    name, folder = "benchmark", "results"

    def _benchmark(self, models: str) -> int:
        conduct.subprocess = ForkingSubprocess
        options = ["--seeds=1", "--epochs=1", "--data_path=data", "--config_files=small.yaml"]
        return main(["benchmark", "--dataset=toy", f"--models={models}", *options])

    def prepare(self) -> None:
        write_toy()
        self._benchmark("Popularity")

    def command(self) -> int:
        return self._benchmark("Popularity,LastItem,IMNNet")

    def result(self, folder: Path) -> Result:
        found = {}
        for file in sorted((folder / "results/toy/runs").glob("*.json")):
            values = json.loads(file.read_text())
            kept = {key: value for key, value in values.items() if key not in TIMED}
            found[file.name] = json.dumps(kept, sort_keys=True)
            found |= sums([file.with_suffix(".parquet")])
        page = (folder / "results/toy.md").read_text()
        # The table of results, without times.
        return found | {"toy.md": page[: page.index("## Time and memory")]}

    def whole(self, folder: Path) -> Result:
        return sums((folder / "results/toy/runs").glob("Popularity*"))

    def damaged(self, folder: Path) -> list[Path]:
        runs = (folder / "results/toy/runs").iterdir()
        return [*sorted(runs), *sorted((folder / "results").glob("toy.*"))]


class Tune(Case):
    """Three trials, of which one was finished before."""

    name, folder = "tune", "tuned"

    def _tune(self, trials: int) -> int:
        options = ["--data_path=data", "--epochs=2", "--config_files=small.yaml"]
        return main(["tune", "--model=FPMC", "--dataset=toy", f"--trials={trials}", *options])

    def prepare(self) -> None:
        write_toy()
        self._tune(1)

    def command(self) -> int:
        return self._tune(3)

    def result(self, folder: Path) -> Result:
        # Not the time that trials took.
        found = read_settings(folder / "tuned/toy/FPMC.yaml")
        kept = ("trials", "default", "best", "best_trial", "best_epoch")
        tuning = {key: found["tuning"][key] for key in kept}
        return {"settings": repr({**found, "tuning": tuning})}

    def whole(self, folder: Path) -> Result:
        with closing(sqlite3.connect(folder / "tuned/toy/FPMC.db")) as database:
            query = "select value from trial_values join trials using (trial_id) where number = 0"
            return {"first trial": repr(database.execute(query).fetchall())}

    def reads(self, path: Path) -> Callable[[], int] | None:
        if path.suffix != ".yaml":
            return None

        return in_one_line(lambda: print(*map(read_settings, named_files(str(path)))))


def knows_resume() -> bool:
    """Whether this version can go on with a training."""
    err, sys.stderr = sys.stderr, StringIO()
    try:
        from recbole_imn.options import check

        check(["--model=IMNNet", "--dataset=toy", "--resume=True"])
    except ValueError:
        return False
    finally:
        sys.stderr = err
    return True


CASES = (
    *(Simulate(), SimulateNew(), Convert(), ConvertNew()),
    *(Train(), Resume(), Benchmark(), Tune()),
)

"""``python -m recbole_imn tune``: options, progress and the file of found settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from recbole_imn.allocator import keep_freed_memory
from recbole_imn.arguments import positive, positive_number
from recbole_imn.data.atomic import check_name
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.files import make_folder
from recbole_imn.kernels.in_parallel import threads
from recbole_imn.locks import only_one
from recbole_imn.provenance import fingerprint
from recbole_imn.settings_files import named_files
from recbole_imn.tuned import TUNING, Tuned, require_same_data
from recbole_imn.tuning.objective import TrialRequest, make_data
from recbole_imn.tuning.result import write_result
from recbole_imn.tuning.space import Space, read_space, space_file

if TYPE_CHECKING:
    from recbole_imn.tuning.study import Tuning

MINUTES, TRAIN_EVENTS, VALID_ROWS = 20.0, 60_000, 5_000


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of :mod:`argparse`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "tune", help="search a model's settings by validation score", allow_abbrev=False
    )
    add = parser.add_argument
    add("--model", required=True, help="any sequential model")
    add("--dataset", required=True, help="name of the data set")
    add("--data_path", help="folder of the data sets (default: as in training)")
    add(
        "--minutes",
        type=positive_number,
        default=MINUTES,
        help="of a processor, for all trials together (default 20)",
    )
    add("--trials", type=positive, default=200, help="at most, if time allows (default 200)")
    add("--epochs", type=positive, default=50, help="epochs a trial at most (default 50)")
    add(
        "--train_events",
        type=positive,
        default=TRAIN_EVENTS,
        help="how many of the latest training events there are (default 60000)",
    )
    add(
        "--valid_rows",
        type=positive,
        default=VALID_ROWS,
        help="validation rows that are ranked, evenly spaced (default 5000)",
    )
    add("--seed", type=int, default=1, help="of all trials (default 1)")
    add("--out", type=Path, default=Path("tuned"), help="folder of the results (default tuned)")
    add("--config_files", default="", help='"A B": files with settings that are not searched')
    add("--no-prune", action="store_true", help="let every trial have its epochs or its time")


def run(options: argparse.Namespace) -> int:
    """Run the trials that the budget has left, and give the exit status.

    Raises
    ------
    ValueError
        With one line for people, if the options or the data make no sense.
    """
    check_name(options.dataset, "--dataset")
    files = tuple(str(file) for file in named_files(options.config_files))
    request = TrialRequest(
        options.model,
        options.dataset,
        options.data_path,
        files,
        options.epochs,
        options.seed,
        options.train_events,
        options.valid_rows,
    )
    space = _space(request)
    storage: Path = options.out / options.dataset / f"{options.model}.db"
    make_folder(storage.parent)
    storage.touch()
    keep_freed_memory()
    # One thread: the budget is that of one processor.
    with only_one(storage, "a tuning"), _storage_errors(storage), threads(1):
        return _tune(request, space, storage, options)


def _space(request: TrialRequest) -> Space:
    """Read the search space, after making simulated data on first use."""
    try:
        import recbole_imn.tuning.study  # noqa: F401
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the package {error.name} is missing; pip install 'recbole_imn[tune]'"
        ) from error
    make_data(request)
    space = read_space(space_file(request.model))
    left = {name: dimension for name, dimension in space.items() if name not in request.fixed}
    if not left:
        raise ValueError("--config_files has all settings that would be searched; leave some out")
    return left


@contextmanager
def _storage_errors(storage: Path) -> Iterator[None]:
    """Turn errors of the database, as on a full disk, into a line with its name."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        reason = str(getattr(cause, "orig", cause)).splitlines()[0]
        raise ValueError(f"{storage}: {reason}; finished trials are kept in it") from error


def _tune(request: TrialRequest, space: Space, storage: Path, options: argparse.Namespace) -> int:
    """Make or reopen a study, run what is missing, and give the exit status."""
    from recbole_imn.tuning.study import Budget, Tuning

    data = fingerprint(request.folder, request.dataset)
    for file in request.config_files:
        told = Tuned.read(Path(file)).tuning
        require_same_data(Path(file), told, data, f"its key {TUNING!r} removed")
    budget = Budget(60 * options.minutes, options.trials, not options.no_prune)
    tuning = Tuning(request, space, storage, budget, data)
    notice = simulated_notice(request.folder, options.dataset)
    if notice:
        print(notice, file=sys.stderr)
    result = storage.with_suffix(".yaml")
    try:
        _run_trials(tuning, result, notice)
    except KeyboardInterrupt:
        print(
            f"interrupted; {len(tuning.finished)} finished trials are kept in {storage.parent}, "
            "the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    return _report(tuning, result)


def _run_trials(tuning: Tuning, result: Path, notice: str | None) -> None:
    """Run trials until the budget is spent; write what is best after each."""
    title = f"{tuning.request.model} on {tuning.request.dataset}"
    total = round(tuning.budget.seconds)
    spent = min(round(tuning.spent), total)
    with tqdm(total=total, initial=spent, desc=title, unit="s", mininterval=1.0) as bar:

        def show(epoch: int, score: float) -> None:
            best = "-" if tuning.best is None else f"{tuning.best.value:.4f}"
            bar.set_postfix_str(f"{state}, epoch {epoch + 1}: {score:.4f}, best {best}")

        while not tuning.is_over:
            state = f"trial {len(tuning.finished) + 1}"
            tuning.run_next(show)
            bar.update(max(0, min(round(tuning.spent), total) - bar.n))
            write_result(tuning, result, notice)
    # Where all trials were finished before.
    write_result(tuning, result, notice)


def _report(tuning: Tuning, result: Path) -> int:
    best, n_trials = tuning.best, len(tuning.finished)
    if best is None:
        print(
            f"error: none of {n_trials} trials has a score after {tuning.spent:.0f} s; give more "
            "--minutes, or look whether training diverges",
            file=sys.stderr,
        )
        return 2
    print(
        f"best validation {tuning.metric} {best.value:.4f} of {n_trials} trials; settings written "
        f"to {result}"
    )
    return 0

"""``python -m recbole_imn tune``: options, progress and the file of found settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from tqdm import tqdm

from recbole_imn.arguments import positive
from recbole_imn.files import make_folder, replace_text, sealed
from recbole_imn.locks import only_one

if TYPE_CHECKING:
    from recbole_imn.tuning.objective import TrialRequest
    from recbole_imn.tuning.space import Space
    from recbole_imn.tuning.study import Tuning


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of :mod:`argparse`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "tune", help="search a model's settings by validation score", allow_abbrev=False
    )
    parser.add_argument("--model", required=True, help="any sequential model")
    parser.add_argument("--dataset", required=True, help="name of the data set")
    parser.add_argument("--data_path", help="folder of the data sets (default: as in training)")
    parser.add_argument("--trials", type=positive, default=20, help="trials in all (default 20)")
    parser.add_argument("--epochs", type=positive, default=20, help="epochs a trial at most")
    parser.add_argument("--seed", type=int, default=1, help="of all trials (default 1)")
    parser.add_argument("--out", type=Path, default=Path("tuned"), help="folder of the results")
    parser.add_argument(
        "--config_files", default="", help='"A B": files with settings that are not searched'
    )
    parser.add_argument(
        "--prune", action="store_true", help="stop trials below the median at the same epoch"
    )


def run(options: argparse.Namespace) -> int:
    """Run the trials that are missing, and give the exit status.

    Raises
    ------
    ValueError
        With one line for people, if the options or the data make no sense.
    """
    from recbole_imn.data.atomic import check_name
    from recbole_imn.settings_files import named_files
    from recbole_imn.tuning.objective import TrialRequest

    check_name(options.dataset, "--dataset")
    files = tuple(str(file) for file in named_files(options.config_files))
    request = TrialRequest(
        options.model, options.dataset, options.data_path, files, options.epochs, options.seed
    )
    space = _space(request)
    storage: Path = options.out / options.dataset / f"{options.model}.db"
    make_folder(storage.parent)
    storage.touch()
    with only_one(storage, "a tuning"), _storage_errors(storage):
        return _tune(request, space, storage, options)


def _space(request: TrialRequest) -> Space:
    """Read the search space, after making simulated data on first use."""
    from recbole_imn.tuning.objective import make_data
    from recbole_imn.tuning.space import read_space, space_file

    try:
        import recbole_imn.tuning.study  # noqa: F401
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the package {error.name} is missing; pip install 'recbole_imn[tune]'"
        ) from error
    make_data(request)
    return read_space(space_file(request.model))


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
    from recbole_imn.data.simulated import simulated_notice
    from recbole_imn.provenance import fingerprint
    from recbole_imn.tuning.study import Tuning

    data = fingerprint(request.folder, request.dataset)
    tuning = Tuning(request, space, storage, options.prune, data)
    notice = simulated_notice(request.folder, options.dataset)
    if notice:
        print(notice, file=sys.stderr)
    result = storage.with_suffix(".yaml")
    try:
        _run_trials(tuning, options.trials, result, notice)
    except KeyboardInterrupt:
        print(
            f"interrupted; {len(tuning.finished)} finished trials are kept in {storage.parent}, "
            "the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    return _report(tuning, result)


def _run_trials(tuning: Tuning, trials: int, result: Path, notice: str | None) -> None:
    done = len(tuning.finished)
    title = f"{tuning.request.model} on {tuning.request.dataset}"
    with tqdm(total=max(trials, done), initial=done, desc=title, unit="trial") as bar:

        def show(epoch: int, score: float) -> None:
            best = "-" if tuning.best is None else f"{tuning.best.value:.4f}"
            bar.set_postfix_str(f"epoch {epoch + 1}: {score:.4f}, best {best}")

        for _ in range(done, trials):
            tuning.run_next(show)
            bar.update()
            write_result(tuning, result, notice)
    write_result(tuning, result, notice)  # where all trials were finished before


def _report(tuning: Tuning, result: Path) -> int:
    best = tuning.best
    if best is None:
        print("error: no trial was finished; training diverged in all", file=sys.stderr)
        return 2
    print(f"best validation {tuning.metric} {best.value:.4f}; settings written to {result}")
    return 0


def write_result(tuning: Tuning, file: Path, notice: str | None = None) -> None:
    """Write the best settings so far, for ``--config_files``; nothing before there are any.

    Parameters
    ----------
    tuning : Tuning
    file : Path
    notice : str, optional
        That the data is simulated.
    """
    from recbole_imn.provenance import PACKAGES, comment_lines, versions

    best, request = tuning.best, tuning.request
    if best is None:
        return
    packages = versions((*PACKAGES, "optuna"))
    finished = tuning.finished
    pruned = sum(trial.state.name == "PRUNED" for trial in finished)
    commits = {trial.user_attrs["commit"] or "none" for trial in finished}
    facts = {
        "settings of": f"{request.model} on {request.dataset}, by python -m recbole_imn tune",
        **({"data set": notice} if notice else {}),
        f"best validation {tuning.metric}": f"{best.value:.4f} (test rows were not used)",
        "trials": f"{len(finished)}, of which {pruned} stopped early by pruning or divergence",
        "epochs a trial at most": request.epochs,
        "seed": request.seed,
        "settings files": " ".join(request.config_files) or "none",
        "commit": ", ".join(sorted(commits)),
        "versions": ", ".join(" ".join(pair) for pair in packages.items()),
        "data": tuning.study.user_attrs["facts"]["data"],
    }
    settings = yaml.safe_dump(best.params, sort_keys=False)
    replace_text(file, sealed(comment_lines(facts) + settings))

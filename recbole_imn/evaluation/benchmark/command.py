"""The command ``python -m recbole_imn benchmark``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from itertools import chain
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole_imn import registry
from recbole_imn.arguments import part, positive
from recbole_imn.data.atomic import check_name
from recbole_imn.data.first_use import provide
from recbole_imn.evaluation.benchmark.conduct import conduct
from recbole_imn.evaluation.benchmark.plan import (
    CANDIDATES,
    Conditions,
    Run,
    all_models,
    check_models,
    make_run,
)
from recbole_imn.evaluation.benchmark.refusals import refuse_options, require_ranking
from recbole_imn.evaluation.protocols import PROTOCOLS, require_no_contradiction
from recbole_imn.evaluation.shelf import require_stays
from recbole_imn.evaluation.systems import parse_system, split_names
from recbole_imn.files import make_folder
from recbole_imn.locks import only_one
from recbole_imn.paper.claims import systems_of_claims
from recbole_imn.provenance import fingerprint
from recbole_imn.settings_files import named_files
from recbole_imn.tuned import FOLDER, Tuned, require_same_data

# What --tuned says instead of a folder.
NONE = "none"
# Stands for all systems that a claim of the paper is about.
CLAIMED = "claims"


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``benchmark`` and its options to the commands."""
    parser = commands.add_parser(
        "benchmark", help="train and test all systems on the same rows, and report the evidence"
    )
    parser.add_argument("--dataset", required=True, help="name of the data set")
    parser.add_argument(
        "--data_path",
        type=Path,
        default=registry.DATA_PATH,
        help=f"its parent folder (default {registry.DATA_PATH})",
    )
    parser.add_argument(
        "--models",
        help="names with commas between (default: every system); 'IMNNet fusion=concat' is a "
        "model with settings switched, and 'claims' all that a claim of the paper is about",
    )
    parser.add_argument("--seeds", type=positive, default=3, help="seeds 1..N (default 3)")
    parser.add_argument("--epochs", type=positive, default=50, help="at most (default 50)")
    parser.add_argument(
        "--processes",
        type=positive,
        default=1,
        help="runs side by side, which then share processors and memory (default 1)",
    )
    parser.add_argument("--out", type=Path, help="folder of results (default results/DATASET)")
    parser.add_argument(
        "--users",
        type=part,
        metavar="SHARE",
        help="of a large log, only the events of this share of the users, such as 5%%: the same "
        "users in all runs",
    )
    parser.add_argument(
        "--candidates",
        choices=sorted(CANDIDATES),
        default="all",
        help="rank the catalogue, or what is on the shelf at each row's time (default all)",
    )
    parser.add_argument(
        "--protocol",
        choices=sorted(PROTOCOLS),
        default="standard",
        help="tgb: cut, rows and metric of the Temporal Graph Benchmark (default standard)",
    )
    parser.add_argument(
        "--tuned",
        default=str(FOLDER),
        metavar="FOLDER",
        help="settings of DATASET/MODEL.yaml in it (default tuned); none: defaults for all",
    )
    parser.add_argument(
        "--other_data",
        action="store_true",
        help="use tuned settings though they were found on other data",
    )
    parser.add_argument(
        "--config_files",
        default="",
        metavar="'A B'",
        help="yaml files with settings for all models, stronger than tuned ones",
    )


def run(options: argparse.Namespace) -> int:
    """Run what is not finished, write the report, and give the exit status.

    Returns
    -------
    int
        0, or 1 if a run failed; the report has the others then.

    Raises
    ------
    ValueError
        For a data set, model or settings file that does not exist; one line for people.
    """
    check_name(options.dataset, "--dataset")
    folder = options.data_path / options.dataset
    provide(folder, options.dataset, getLogger())
    protocol = PROTOCOLS[options.protocol]
    models = all_models(options.dataset, folder, protocol)
    if options.models is not None:
        models = _systems(options.models)
    check_models(models, options.dataset)
    # 'both' ranks all first, and then something else.
    require_no_contradiction(protocol, {"candidates": options.candidates})
    if "on_shelf" in CANDIDATES[options.candidates]:
        require_stays(folder / f"{options.dataset}.item")
    data = fingerprint(folder, options.dataset)
    common, searches = _common_settings(options.config_files, "" if options.other_data else data)
    if options.users is not None:
        common["user_share"] = options.users
    conditions = Conditions(
        dataset=options.dataset,
        folder=folder,
        fingerprint=data,
        epochs=options.epochs,
        candidates=options.candidates,
        common=common,
        tuned_folder=None if options.tuned == NONE else Path(options.tuned),
        protocol=protocol,
        other_data=options.other_data,
        common_tuning=searches,
    )
    # Seeds outside, so that an interrupted benchmark has all models with few seeds.
    runs: list[Run] = [
        make_run(model, seed, conditions)
        for seed in range(1, options.seeds + 1)
        for model in models
    ]
    name = options.dataset if options.users is None else f"{options.dataset}-{options.users:g}"
    out: Path = options.out or Path("results") / name
    if out.name in ("", ".."):
        # The report lies beside the folder, under its name.
        out = out.resolve()
    make_folder(out)
    with only_one(out, "a benchmark"):
        _tell_untuned(runs, options.tuned)
        _tell_of_tables(common)
        failures = _conduct_and_report(runs, out, options.processes)
    return 1 if failures else 0


def _tell_untuned(runs: list[Run], tuned: str) -> None:
    """Say which models run with defaults, where others may have tuned settings."""
    untuned = dict.fromkeys(run.model for run in runs if not run.tuned)
    if untuned and tuned != NONE:
        print(f"defaults, for want of a file in {tuned}: {', '.join(untuned)}", file=sys.stderr)


def _tell_of_tables(settings: Mapping[str, Any]) -> None:
    """Say what settings about metrics change, and what they do not."""
    named = [key for key in ("metrics", "topk") if key in settings]
    if named:
        from recbole_imn.evaluation.report.parts import METRICS

        print(
            f"{' and '.join(named)}: for early stopping alone; tables of a benchmark always have "
            f"{', '.join(METRICS.values())}",
            file=sys.stderr,
        )


def _conduct_and_report(runs: list[Run], out: Path, at_a_time: int) -> Mapping[str, str]:
    failures = conduct(runs, out, at_a_time)
    # Every command imports this module, and pages take time to import.
    from recbole_imn.evaluation.report import write_report

    for page in write_report(runs, failures, out):
        print(f"written: {page}")
    for name, reason in failures.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return failures


def _systems(text: str) -> list[str]:
    """Give the systems that ``--models`` names; one named twice is one."""
    names = chain.from_iterable(
        systems_of_claims() if name == CLAIMED else [name] for name in split_names(text)
    )
    systems = [parse_system(name) for name in names]
    for system in systems:
        refuse_options(system.switches, f"the system {system.name!r}")
    return list(dict.fromkeys(system.name for system in systems))


def _common_settings(files: str, data: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read settings for all models, found on some data where that is named.

    Beside them, what files of tuned settings tell of their searches, by file.
    """
    settings: dict[str, Any] = {}
    searches: dict[str, Any] = {}
    for file in named_files(files):
        found = Tuned.read(file)
        if data:
            require_same_data(file, found.tuning, data, "--other_data")
        refuse_options(found.settings, found.file)
        require_ranking(found.settings, found.file)
        settings.update(found.settings)
        if found.tuning:
            searches[found.file] = found.tuning
    return settings, searches

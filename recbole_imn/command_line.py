"""The training command: strict about options, the rest is RecBole's quick start."""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import recbole
import yaml
from recbole.utils import argument_list
from texttable import Texttable

from recbole_imn import registry
from recbole_imn.compat import UnknownModelError
from recbole_imn.data.atomic import DataError
from recbole_imn.data.simulated import SIMULATED, simulated_notice
from recbole_imn.evaluation.model_card import Facts, write_card
from recbole_imn.evaluation.ranks import RankRecorder, recorded_trainers
from recbole_imn.model.settings import SettingsError
from recbole_imn.provenance import environment, fingerprint
from recbole_imn.stream import StreamError

RECBOLE_PROPERTIES = Path(recbole.__file__).parent / "properties"
ENTRY_KEYS = ("model", "dataset", "config_files")
# Settings whose default is of a type have values of that type.
TYPES = {
    bool: ("True or False", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
}
ABOVE_ZERO = ("epochs", "train_batch_size", "eval_batch_size", "ranking_chunk_size")
REASONS = ("Training loss is nan", "There is no metric named", "a model gave scores")

HELP = """usage: python run_recbole_imn.py --model=MODEL --dataset=NAME [--KEY=VALUE ...]

Trains a model, tests its best epoch and prints the results.

models      {models}
            and any sequential model of RecBole, such as SASRec, GRU4Rec, NextItNet, FPMC
data sets   {datasets}
            or any log with user_id, item_id and timestamp columns in DIR/NAME/NAME.inter

keys that matter
  --data_path=DIR          folder of the data sets (atomic_files/)
  --config_files="A B"     yaml files with settings, later ones win
  --epochs=N               epochs at most; training stops early on validation
  --learning_rate=X        step size
  --train_batch_size=N     rows a batch; for models of the stream, events a window
  --eval_batch_size=N      rows ranked at a time
  --seed=N                 the same seed gives the same numbers
  --checkpoint_dir=DIR     where the best model goes (saved/)
Every other setting of RecBole works the same way. {model_keys}
"""


class UsageError(ValueError):
    """Options that make no sense; the message is one line for people."""


def main(arguments: Sequence[str]) -> int:
    """Train and test as the options say, and give the exit status.

    Parameters
    ----------
    arguments : sequence of str
        ``--key=value`` options; RecBole reads them again from ``sys.argv``.
    """
    if not arguments or {"-h", "--help"} & set(arguments):
        print(help_text())
        return 0
    try:
        options = check(arguments)
        _run(options, arguments)
    except (UsageError, UnknownModelError, DataError, SettingsError, StreamError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (ValueError, NotImplementedError) as error:
        # RecBole's own words, where they are fit for people.
        if not str(error).startswith(REASONS):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the best epoch so far is in the checkpoint folder", file=sys.stderr)
        return 130
    return 0


def check(arguments: Sequence[str]) -> dict[str, str]:
    """Split options into keys and values, refusing what RecBole would silently ignore.

    Raises
    ------
    UsageError
        For an option without ``=``, a key given twice, an unknown key, a value of another
        type, a missing model or data set, or a settings file that is not there.
    """
    options: dict[str, str] = {}
    for argument in arguments:
        key, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not equals:
            raise UsageError(f"{argument!r} is not --key=value; write for example --epochs=5")
        if "=" in value:
            raise UsageError(f"{argument!r} has two '='; RecBole would ignore it")
        if key in options:
            raise UsageError(f"--{key} is given twice: {options[key]!r} and {value!r}")
        options[key] = value
    for key in ("model", "dataset"):
        if not options.get(key):
            raise UsageError(f"--{key}=NAME is missing; --help lists what there is")
    for file in _config_files(options):
        if not file.is_file():
            raise UsageError(f"--config_files names {file}, which does not exist")
    _check_keys(options, known_keys(options["model"], options["dataset"], _config_files(options)))
    defaults = _defaults(options["model"])
    for key in options.keys() & defaults.keys():
        _check_value(key, options[key], defaults[key])
    return options


def _defaults(model: str) -> dict[str, Any]:
    """Give the defaults whose types are sure: RecBole's general ones and our own."""
    files = [
        RECBOLE_PROPERTIES / "overall.yaml",
        *registry.property_files(model, "", {"event_stream": True}),
    ]
    values = [yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files]
    return {key: value for part in values for key, value in part.items()}


def _check_value(key: str, text: str, default: object) -> None:
    expected, types = TYPES.get(type(default), ("", ()))
    value = _value(text)
    # True is an int as well.
    fits = isinstance(value, types) and isinstance(value, bool) == isinstance(default, bool)
    if types and not fits:
        raise UsageError(f"--{key} is {text!r}; it must be {expected}, such as {default}")
    if key in ABOVE_ZERO and isinstance(value, int) and value < 1:
        raise UsageError(f"--{key} is {text!r}; it must be above 0")


def _value(text: str) -> object:
    """Read a value as RecBole does: a literal, or text."""
    try:
        return ast.literal_eval({"true": "True", "false": "False"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        return text


def _check_keys(options: Collection[str], known: Collection[str]) -> None:
    for key in options:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean --{near[0]}?" if near else "--help lists the keys that matter"
            raise UsageError(f"unknown key --{key}; {hint}")


def known_keys(model: str, dataset: str, files: Sequence[Path] = ()) -> set[str]:
    """Every setting that RecBole, the package, the data set or a settings file knows."""
    properties = [
        RECBOLE_PROPERTIES / "overall.yaml",
        RECBOLE_PROPERTIES / "model" / f"{model}.yaml",
        RECBOLE_PROPERTIES / "dataset" / "sample.yaml",
        *(RECBOLE_PROPERTIES / "quick_start_config").glob("sequential*.yaml"),
        *registry.property_files(model, dataset, {"event_stream": True}),
        *files,
    ]
    keys = set(ENTRY_KEYS)
    for names in (
        argument_list.general_arguments,
        argument_list.training_arguments,
        argument_list.evaluation_arguments,
        argument_list.dataset_arguments,
    ):
        keys.update(names)
    for file in properties:
        keys.update(_yaml_keys(file))
    return keys


def _yaml_keys(file: Path) -> list[str]:
    if not file.is_file():
        return []
    try:
        return list(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not valid yaml: {' '.join(str(error).split())}") from error


def _config_files(options: dict[str, str]) -> list[Path]:
    return [Path(file) for file in options.get("config_files", "").split()]


def help_text() -> str:
    """Say what there is: models, data sets and the keys that matter."""
    keys = ", ".join(_yaml_keys(registry.PROPERTIES / "model" / "IMNNet.yaml"))
    folder = Path("dataset_configs")
    datasets = sorted({*SIMULATED, *(file.stem for file in folder.glob("*.yaml"))})
    return HELP.format(
        models=", ".join(registry.MODELS),
        datasets=", ".join(datasets),
        model_keys=f"Keys of IMNNet:\n  {keys}",
    )


def _run(options: dict[str, str], arguments: Sequence[str]) -> None:
    from recbole.quick_start import run_recbole

    # RecBole reads options from sys.argv wherever a Config is made.
    program, sys.argv = sys.argv, [sys.argv[0], *arguments]
    try:
        with recorded_trainers() as trainers:
            result = run_recbole(
                model=options["model"],
                dataset=options["dataset"],
                config_file_list=[str(file) for file in _config_files(options)],
                config_dict={"event_stream": True},
            )
    finally:
        sys.argv = program
    print(result_table(options["model"], options["dataset"], result))
    # RecBole has added the data set's name.
    folder = Path(trainers[-1][0].config["data_path"])
    notice = simulated_notice(folder, options["dataset"])
    if notice:
        print(notice)
    print(describe_checkpoint(*trainers[-1], folder, notice))


def describe_checkpoint(
    trainer: Any, recorder: RankRecorder, folder: Path, simulated: str | None
) -> str:
    """Write a model card beside a trainer's checkpoint and say where both are.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
    recorder : RankRecorder
        Has the ranks of the test.
    folder : Path
        The data set's own folder.
    simulated : str, optional
        The notice for simulated data.
    """
    checkpoint, config = Path(trainer.saved_model_file), trainer.config
    table = recorder.table()
    if table.empty:
        return f"checkpoint: {checkpoint} (no model card: its test rows are no events of a stream)"
    data = fingerprint(folder, config["dataset"])
    facts = Facts.of(config, simulated, data, environment())
    return f"checkpoint: {checkpoint}\nmodel card: {write_card(checkpoint, facts, table)}"


def result_table(model: str, dataset: str, result: dict[str, Any]) -> str:
    """Lay out validation and test metrics of a run."""
    table = Texttable(max_width=100)
    table.set_deco(Texttable.HEADER)
    table.set_cols_dtype(["t", "t", "t"])
    table.header([f"{model} on {dataset}", "validation (best epoch)", "test"])
    # RecBole validates nothing with eval_step: 0.
    validation = result["best_valid_result"] or {}
    for metric, value in result["test_result"].items():
        known = f"{validation[metric]:.4f}" if validation else "-"
        table.add_row([metric, known, f"{value:.4f}"])
    return str(table.draw())

"""Commands that go on from a run, with its own paths, to be pasted into a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_imn.processes import group
from recbole_imn.run_settings import Data, Environment, Evaluation
from recbole_imn.screen.columns import WIDTH
from recbole_imn.serving.taking import can_be_used

MODEL_TO_USE = "IMNNetPlus"
# Options that mean the same whatever the model: all but how it learns.
OF_EVERY_MODEL = (
    "dataset", "config_files", "epochs", "eval_step", "stopping_step",
    *Environment.model_fields, *Evaluation.model_fields, *Data.model_fields,
)  # fmt: skip
# Of a line, beside what stands around a command.
ROOM = WIDTH - 10
REPORT = "--out=build/report"
# Those that the benchmark has as well.
OF_BENCHMARK = {
    **{name: name for name in ("data_path", "epochs", "candidates", "protocol", "config_files")},
    "user_share": "users",
}
# What topk asks for at most by default, as in properties/stream.yaml.
LONGEST = 20
# Which events are read, and which rows are ranked. Without an option for one the benchmark would
# compare something else.
OF_ROWS = {"eval_args", "split_by", "repeatable", "encoding", *Data.model_fields}


def python() -> str:
    """Give what a shell must be told to start this Python."""
    own, found = Path(sys.executable), Path(shutil.which("python") or "")
    # A virtual environment links to the Python that it was made of.
    if found.parent == own.parent and found.samefile(own):
        return "python"
    inside = own.is_relative_to(Path.cwd())
    return str(own.relative_to(Path.cwd()) if inside else own)


def run_words(program: str) -> list[str]:
    """Give the words that started this run, before its options.

    Parameters
    ----------
    program : str
        The first word of ``sys.argv``.
    """
    is_file = program.endswith(".py") and Path(program).name != "__main__.py"
    words = [program] if is_file else ["-m", "recbole_imn", "run"]
    if group().is_several:
        return [*_launcher(), f"--nproc_per_node={os.environ.get('LOCAL_WORLD_SIZE', '')}", *words]
    if program.endswith(".py"):
        return [python(), *words]
    return [_installed(program), "run"]


def _launcher() -> list[str]:
    """Give the words that start several processes, whether or not a shell finds torchrun."""
    beside = Path(sys.executable).parent / "torchrun"
    found = shutil.which("torchrun") == str(beside)
    return ["torchrun"] if found else [python(), "-m", "torch.distributed.run"]


def other_words(program: str) -> list[str]:
    """Give the words that start another command of the package."""
    is_installed = not program.endswith(".py")
    return [_installed(program)] if is_installed else [python(), "-m", "recbole_imn"]


def _installed(program: str) -> str:
    """Give the installed command by its name, where a shell finds it by that."""
    name = Path(program).name
    return name if shutil.which(name) == program else program


def next_steps(
    program: str, options: Mapping[str, str], trainer: Any, test_data: Any
) -> list[tuple[str, str]]:
    """Give commands and what they do.

    Parameters
    ----------
    program : str
        The first word of ``sys.argv``.
    options : mapping of str to str
        Of the run, its model and data set among them.
    trainer : recbole.trainer.Trainer
        After its test.
    test_data : recbole.data.dataloader.AbstractDataLoader
    """
    steps = []
    if options["model"] != MODEL_TO_USE:
        kept = [f"--{key}={options[key]}" for key in OF_EVERY_MODEL if key in options]
        words = [*run_words(program), f"--model={MODEL_TO_USE}", *kept]
        steps.append((_line(words), f"{MODEL_TO_USE}, the model to use, on the same rows"))
    if trainer.config["snapshot"] and can_be_used(trainer.model):
        user = f"--user={_latest_user(test_data._dataset)}"
        words = [*other_words(program), "recommend", str(trainer.saved_model_file), user]
        steps.append((_line(words), "recommendations for a user, now"))
    if _has_benchmark(options, test_data._dataset):
        what = "a report that compares models, with intervals; it trains each of them"
        steps.append((_line(_benchmark(program, options)), what))
    return steps


def _has_benchmark(options: Mapping[str, str], dataset: Any) -> bool:
    """Say whether the benchmark can do what the run has done; it has no option for topk."""
    too_few = "topk" in options and dataset.item_num - 1 < LONGEST
    return not (too_few or options.keys() & OF_ROWS - OF_BENCHMARK.keys())


def _latest_user(dataset: Any) -> str:
    return str(dataset.id2token(dataset.uid_field, dataset.log.user[-1]))


def _line(words: Sequence[str]) -> str:
    """Write words for a shell, on more lines where they need it."""
    lines = [""]
    for word in map(shlex.quote, words):
        if lines[-1] and len(lines[-1]) + len(word) > ROOM:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return " \\\n      ".join(lines)


def _benchmark(program: str, options: Mapping[str, str]) -> Sequence[str]:
    others = ("RecentHistory", "LastItem", "SessionKNN")
    models = ",".join(dict.fromkeys([options["model"], MODEL_TO_USE, *others]))
    kept = [f"--{name}={options[key]}" for key, name in OF_BENCHMARK.items() if key in options]
    dataset = f"--dataset={options['dataset']}"
    return [
        *other_words(program),
        "benchmark",
        dataset,
        f"--models={models}",
        "--seeds=1",
        *kept,
        REPORT,
    ]

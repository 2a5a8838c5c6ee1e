"""The training command: strict about options, the rest is RecBole's quick start."""

from __future__ import annotations

import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill, indent
from typing import Any

import recbole
from texttable import Texttable

from recbole_imn import own_models, registry
from recbole_imn.allocator import keep_freed_memory
from recbole_imn.data.simulated import SIMULATED, simulated_notice
from recbole_imn.distributed.ending import first_to_tell, together
from recbole_imn.errors import RecBoleImnError, StoppedError, one_line
from recbole_imn.evaluation.model_card import Facts, write_card
from recbole_imn.evaluation.ranks import RankRecorder, recorded_trainers
from recbole_imn.files import os_line
from recbole_imn.options import check, config_files
from recbole_imn.processes import group
from recbole_imn.provenance import environment, fingerprint
from recbole_imn.resume import until_done
from recbole_imn.screen import Ending, Following, References, evaluate_references, followed
from recbole_imn.screen.next_steps import next_steps, run_words
from recbole_imn.settings_files import read_any_settings

HELP = """usage: recbole-imn run --model=MODEL --dataset=NAME [--KEY=VALUE ...]
       python run_recbole_imn.py --model=MODEL --dataset=NAME [--KEY=VALUE ...]

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
  --eval_rows=N            rank a sample of N rows, the same for every model
  --topk=[5] --valid_metric=NDCG@5   cuts of the metrics, and the metric that stops early
  --candidates=on_shelf    rank what is for sale only
  --protocol=tgb           cut, rows and metric of the Temporal Graph Benchmark
  --seed=N                 the same seed gives the same numbers
  --checkpoint_dir=DIR     where the best model goes (saved/)
  --resume                 go on with the run of these settings that was stopped
Every other setting of RecBole works the same way. {model_keys}
"""


def main(arguments: Sequence[str]) -> int:
    """Train and test as the options say, and give the exit status.

    Parameters
    ----------
    arguments : sequence of str
        ``--key=value`` options; RecBole reads them again from ``sys.argv``.
    """
    # The one option that is a flag.
    arguments = ["--resume=True" if word == "--resume" else word for word in arguments]
    if not arguments or {"-h", "--help"} & set(arguments):
        print(help_text())
        return 0
    return together(lambda: _main(arguments))


def _main(arguments: Sequence[str]) -> int:
    try:
        options = check(arguments)
        keep_freed_memory()
        with until_done():
            _run(options, arguments)
    except RecBoleImnError as error:
        return _tell(f"error: {error}", 2)
    except OSError as error:
        return _tell(f"error: {os_line(error)}", 2)
    except (ValueError, NotImplementedError, ImportError, AssertionError) as error:
        if not told_by_recbole(error):
            raise
        return _tell(f"error: {one_line(error)}", 2)
    except KeyboardInterrupt as stop:
        return _tell(f"interrupted; {str(stop) or 'training had not begun'}", 130)
    return 0


def _tell(line: str, status: int) -> int:
    """Tell how a run ended, which one of several processes does, and give the exit status."""
    if first_to_tell():
        print(line, file=sys.stderr, flush=True)
    return status


def told_by_recbole(error: BaseException) -> bool:
    """Whether a statement of RecBole or of ours says what is wrong, so that it is for people.

    All other errors are met by chance, and keep their traceback.
    """
    last = traceback.extract_tb(error.__traceback__)[-1]
    folders = (Path(recbole.__file__).parent, Path(__file__).parent)
    inside = any(Path(last.filename).is_relative_to(folder) for folder in folders)
    if isinstance(error, AssertionError):
        # Those without a word are for programmers.
        return inside and bool(str(error))
    return inside and (last.line or "").startswith("raise ")


def help_text() -> str:
    """Say what there is: models, data sets and the keys that matter."""
    files = [registry.PROPERTIES / "stream.yaml"]
    files += [registry.PROPERTIES / "model" / f"{name}.yaml" for name in ("IMNNet", "IMNNetPlus")]
    keys = ", ".join(dict.fromkeys(key for file in files for key in read_any_settings(file)))
    folders = registry.config_folders()
    configs = {file.stem for folder in folders for file in folder.glob("*.yaml")}
    datasets = sorted({*SIMULATED, *configs})
    return HELP.format(
        models=", ".join(own_models.names()),
        datasets=", ".join(datasets),
        model_keys=f"Keys of IMNNetPlus:\n{indent(fill(keys, 96), '  ')}",
    )


def _run(options: dict[str, str], arguments: Sequence[str]) -> None:
    from recbole.quick_start import run_recbole

    # RecBole reads options from sys.argv wherever a Config is made.
    program, sys.argv = sys.argv, [sys.argv[0], *arguments]
    try:
        with followed() as run, recorded_trainers() as trainers:
            result = run_recbole(
                model=options["model"],
                dataset=options["dataset"],
                config_file_list=[str(file) for file in config_files(options)],
                config_dict={"event_stream": True},
            )
            _conclude(run, trainers[-1], result, options, program[0])
    except OSError as error:
        if how := _how_to_go_on(trainers, program[0], arguments):
            # A full disk, say: what was kept before is whole.
            raise StoppedError(os_line(error, how)) from error
        raise
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(_how_to_go_on(trainers, program[0], arguments)) from stop
    finally:
        sys.argv = program


def _conclude(
    run: Following,
    made: tuple[Any, RankRecorder],
    result: dict[str, Any],
    options: dict[str, str],
    program: str,
) -> None:
    """Write a model card beside the checkpoint, and show what the run has come to."""
    trainer, recorder = made
    recorder.join()
    name, checkpoint = options["dataset"], Path(trainer.saved_model_file)
    # RecBole has added the data set's name.
    folder = Path(trainer.config["data_path"])
    notice = simulated_notice(folder, name)
    card = _write_card(trainer, recorder, folder, notice) if group().writes else ""
    if run.is_brief:
        # Of several processes, each ranks a part of the rows.
        references = _references(trainer, run.test_data)
        run.ends(
            Ending(
                model=options["model"],
                test=result["test_result"],
                # RecBole validates nothing with eval_step: 0.
                validation=result["best_valid_result"],
                best_epoch=run.training.best_epoch if run.training else None,
                references=references,
                n_rows=len(run.test_data._dataset),
                decimals=trainer.config["metric_decimal_place"],
                is_simulated=notice is not None,
                checkpoint=str(checkpoint),
                card=card,
                log_file=run.log_file,
                next_steps=next_steps(program, options, trainer, run.test_data),
            )
        )
    elif group().writes:
        print(result_table(options["model"], name, result))
        if notice:
            print(notice)
        print(f"checkpoint: {checkpoint}", end=" " if isinstance(card, str) else "\n")
        print(f"(no model card: {card})" if isinstance(card, str) else f"model card: {card}")


def _references(trainer: Any, test_data: Any) -> References:
    """Evaluate what needs no training; that it cannot be is no reason for a run to fail."""
    try:
        return evaluate_references(trainer, test_data)
    except RecBoleImnError as error:
        return References(reason=str(error))


def _how_to_go_on(trainers: Sequence[Any], program: str, arguments: Sequence[str]) -> str:
    """Give the command that goes on with a run, or nothing if it has left no state."""
    run = getattr(trainers[-1][0], "run", None) if trainers else None
    if run is None or not run.file.is_file():
        return ""
    options = [word for word in arguments if word != "--resume=True"]
    return f"go on with: {shlex.join([*run_words(program), *options, '--resume'])}"


def _write_card(
    trainer: Any, recorder: RankRecorder, folder: Path, simulated: str | None
) -> Path | str:
    """Write a model card beside a trainer's checkpoint.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
    recorder : RankRecorder
        Has the ranks of the test.
    folder : Path
        The data set's own folder.
    simulated : str, optional
        The notice for simulated data.

    Returns
    -------
    Path or str
        Where it is, or why there is none.
    """
    config, table = trainer.config, recorder.table()
    if recorder.sampled:
        return "its ranks are among sampled items"
    if table.empty:
        return "its test rows are no events of a stream"
    data = fingerprint(folder, config["dataset"])
    facts = Facts.of(config, simulated, data, environment())
    return write_card(Path(trainer.saved_model_file), facts, table)


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

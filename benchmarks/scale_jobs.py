"""What benchmarks/scale.py measures, each in a process of its own."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from recbole_imn.evaluation.benchmark.run import peak_memory
from recbole_imn.preparation import make_model, no_options

Found = dict[str, Any]
# Windows before the clock starts: loops are compiled, tables come into memory.
WARM_UP = 8
# Rows a batch of a model of RecBole; its loss has a score for each by every item.
BATCH = 256


def run(options: argparse.Namespace) -> Found:
    """Do a job and give what was seen."""
    job = {"stream": stream, "rows": rows, "recbole": recbole_rows}[options.job]
    found: Found = {}
    job(options, found)
    found["peak memory, GB"] = peak()
    return found


def peak() -> float:
    """Give the most memory that the process has had, GB."""
    return peak_memory() * 2**20 / 1e9


@contextmanager
def timed(found: Found, name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    found[f"{name}, s"] = time.perf_counter() - start
    found[f"peak memory until then, GB ({name})"] = peak()


def config_of(options: argparse.Namespace, **more: Any) -> Any:
    from recbole.config import Config

    from benchmarks.scale import name_of

    settings = {
        "data_path": str(options.folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp", "behavior", "purchase"]},
        "eval_rows": options.rows,
        "show_progress": True,
        **more,
    }
    with no_options():
        return Config(options.model, name_of(options.fraction), config_dict=settings)


# -- models of the stream ----------------------------------------------------------------------


def stream(options: argparse.Namespace, found: Found) -> None:
    """Prepare the log, train for an epoch or some minutes of it, and rank rows."""
    from recbole.data import create_dataset
    from recbole.utils import get_trainer

    config = config_of(options, table_learner="row_adam", state_precision=options.precision)
    with timed(found, "reading the file"), no_options():
        create_dataset(config)
    with timed(found, "a second start"), no_options():
        dataset = create_dataset(config)
    found["what"] = f"{dataset.inter_num:,} events"
    with timed(found, "rows and model"):
        dataset, loaders, model = make_model(config, dataset)
    with no_options():
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    train(options, model, trainer, found)
    found["users"], found["items"] = dataset.user_num - 1, dataset.item_num - 1
    trainer.eval_collector.data_collect(loaders[0])
    with timed(found, "ranking test rows, with a replay of the whole log"):
        trainer.evaluate(loaders[2], load_best_model=False, show_progress=True)
    found["ranked rows"] = len(loaders[2]._dataset)


def train(options: argparse.Namespace, model: Any, trainer: Any, found: Found) -> None:
    """Train for an epoch, or in the middle of one for as many minutes as are given."""
    width, n_training = trainer.config["train_batch_size"], model.session.n_training
    model.train()
    windows = list(range(0, n_training - width, width))
    pace = seconds_of(model, trainer, windows[: 10 * WARM_UP], width) / len(windows[WARM_UP:80])
    whole = pace * len(windows) < 60 * options.minutes
    if whole:
        chosen, until = windows, float("inf")
    else:
        middle = len(windows) // 2
        chosen, until = windows[middle:], time.perf_counter() + 60 * options.minutes
        model.session.rewind()
        model.session.past.move_to(chosen[0])
        # States begin empty there, which costs a window as much.
        model.session.position = chosen[0]
    seconds, n_done = 0.0, 0
    for start in tqdm(chosen, desc="training", disable=None):
        seconds += seconds_of(model, trainer, [start], width)
        n_done += 1
        if time.perf_counter() > until:
            break
    found["trained events"] = n_done * width
    found["of the epoch"] = "all" if whole else "its middle"
    found["training, events/s"] = n_done * width / seconds
    found["training, microseconds an event"] = 1e6 * seconds / (n_done * width)
    found["an epoch, minutes"] = seconds / n_done * len(windows) / 60
    found["peak memory until then, GB (training)"] = peak()


def seconds_of(model: Any, trainer: Any, windows: list[int], width: int) -> float:
    """Take a step for each window, and give how long they took, but for those of a warm-up."""
    start = time.perf_counter()
    for number, first in enumerate(windows):
        if len(windows) > WARM_UP and number == WARM_UP:
            start = time.perf_counter()
        trainer.optimizer.zero_grad()
        loss = model.session.train(first, first + width) / width
        loss.backward()
        trainer.optimizer.step()
    return time.perf_counter() - start


# -- models of RecBole -------------------------------------------------------------------------


def rows(options: argparse.Namespace, found: Found) -> None:
    """Prepare rows of the stream for a model of RecBole, and take some batches."""
    batches(
        options,
        config_of(options, event_stream=True, train_neg_sample_args=None, train_batch_size=BATCH),
        found,
    )


def recbole_rows(options: argparse.Namespace, found: Found) -> None:
    """Do the same by RecBole's own data set class, in no more memory than the machine has."""
    available = int(0.8 * memory_left())
    resource.setrlimit(resource.RLIMIT_AS, (available, available))
    config = config_of(
        options, event_stream=False, train_neg_sample_args=None, train_batch_size=BATCH
    )
    batches(options, config, found)
    found["what"] = f"RecBole's own class, {found['what']}"


def memory_left() -> int:
    """Give the memory that is free for another process, bytes."""
    import psutil

    return int(psutil.virtual_memory().available)


def batches(options: argparse.Namespace, config: Any, found: Found) -> None:
    """Prepare a data set, make a model, and take some batches of training."""
    from recbole.data import create_dataset
    from recbole.utils import get_trainer

    with timed(found, "preparation"), no_options():
        dataset = create_dataset(config)
        n_events = dataset.inter_num
        dataset, loaders, model = make_model(config, dataset)
    found["what"] = f"{n_events:,} events"
    with no_options():
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    model.train()
    with timed(found, f"{options.batches} batches"):
        for number, batch in enumerate(tqdm(loaders[0], desc="batches", disable=None)):
            if number == options.batches:
                break
            trainer.optimizer.zero_grad()
            model.calculate_loss(batch).backward()
            trainer.optimizer.step()
    found["rows a batch"] = loaders[0].step


if __name__ == "__main__":
    sys.exit("run benchmarks/scale.py")

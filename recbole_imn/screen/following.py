"""Following a run of RecBole's quick start, and showing what happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from recbole_imn.bars import bar, bars_made_by
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.evaluation.ranks import told_of_trainers
from recbole_imn.processes import group
from recbole_imn.screen.ending import Ending, ending_lines
from recbole_imn.screen.heading import data_line, rows_line, run_line
from recbole_imn.screen.messages import log_file, warnings_alone
from recbole_imn.screen.terminal import Screen
from recbole_imn.screen.training import Training

BRIEF = "brief"


class Following:
    """What a run has told so far.

    Attributes
    ----------
    screen : Screen
    is_brief : bool
        Whether the run is shown, as the setting ``screen: brief`` asks, and not RecBole's log.
    log_file : str or None
        Where RecBole's log of the run goes.
    test_data : recbole.data.dataloader.AbstractDataLoader or None
        Once there is one.
    training : Training or None
        Once there is a trainer.
    """

    def __init__(self) -> None:
        self.screen = Screen()
        self.is_brief = False
        self.log_file: str | None = None
        self.test_data: Any = None
        self.training: Training | None = None
        self._until_the_end = ExitStack()

    def begins(self, config: Any) -> None:
        """Show what runs, once its settings are known and its log is open."""
        self.is_brief = config["screen"] == BRIEF
        if not self.is_brief:
            return
        if group().writes:
            self.log_file = log_file()
            folder, name = Path(config["data_path"]), config["dataset"]
            # That data are SIMULATED stands in the heading and beside the figures.
            shown = warnings_alone(self.screen, lambda text: text == simulated_notice(folder, name))
            self._until_the_end.enter_context(shown)
        self._until_the_end.enter_context(bars_made_by(self.screen.bar))
        self.screen.show(run_line(config), "bold")

    def has_data(self, config: Any, loaders: Any) -> None:
        """Show the data set and its rows."""
        self.test_data = loaders[2]
        if self.is_brief:
            self.screen.show(data_line(config, loaders[0]._dataset))
            self.screen.show(rows_line(config, loaders))
            self.screen.show()

    def has_trainer(self, trainer: Any) -> None:
        """Show its epochs from now on."""
        if self.is_brief:
            self.training = Training(self.screen, trainer)

    def ends(self, ending: Ending) -> None:
        """Show what the run has come to."""
        for line in ending_lines(ending):
            self.screen.show(line)

    def close(self) -> None:
        """Leave the screen as others expect it."""
        self.screen.close()
        self._until_the_end.close()


@contextmanager
def followed() -> Iterator[Following]:
    """Follow the runs of RecBole's quick start meanwhile (quick_start/quick_start.py)."""
    run = Following()
    quick_start = import_module("recbole.quick_start.quick_start")
    names = ("init_logger", "data_preparation")
    originals = {name: vars(quick_start)[name] for name in names}
    vars(quick_start).update(_told_to(run, originals))
    trainers = sys.modules["recbole.trainer.trainer"]
    tqdm = vars(trainers)["tqdm"]
    vars(trainers)["tqdm"] = bar
    try:
        with told_of_trainers(run.has_trainer):
            yield run
    finally:
        run.close()
        vars(trainers)["tqdm"] = tqdm
        vars(quick_start).update(originals)


def _told_to(run: Following, originals: dict[str, Callable[..., Any]]) -> dict[str, Any]:
    """Give functions of the quick start that tell somebody what they have made."""

    def init_logger(config: Any) -> None:
        originals["init_logger"](config)
        run.begins(config)

    def data_preparation(config: Any, dataset: Any) -> Any:
        loaders = originals["data_preparation"](config, dataset)
        run.has_data(config, loaders)
        return loaders

    return {"init_logger": init_logger, "data_preparation": data_preparation}

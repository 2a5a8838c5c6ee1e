"""A table that grows by a line an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_imn.run_checks import WITHOUT_CUT
from recbole_imn.screen.columns import GAP, WIDTH, laid_out, width_of
from recbole_imn.screen.terminal import Screen

BEST = "best so far"
NUMBER = 6  # characters of a metric
LOSS = 12
SECONDS = 8


class EpochTable:
    """Losses, metrics of validation and seconds of each epoch; the best so far are marked.

    Parameters
    ----------
    screen : Screen
    config : recbole.config.Config
    validates : bool
        Whether any epoch is validated.

    Attributes
    ----------
    best_epoch : int or None
        The latest that was the best so far.
    """

    def __init__(self, screen: Screen, config: Any, validates: bool) -> None:
        self._screen = screen
        self._places = config["loss_decimal_place"] or 4
        self._decimals = config["metric_decimal_place"] or 4
        self._known = metric_names(config) if validates else []
        self._metrics: list[str] = []
        self._widths: list[int] = []
        self.best_epoch: int | None = None

    def add(
        self,
        epoch: int,
        losses: Sequence[float],
        seconds: float,
        result: Mapping[str, float] | None = None,
        is_best: bool = False,
    ) -> None:
        """Show an epoch.

        Parameters
        ----------
        epoch : int
            From 0 on, as in RecBole's log.
        losses : sequence of float
            Of the epoch, as many each time.
        seconds : float
            Of training and validation.
        result : mapping of str to float, optional
            Of the epoch's validation, where there was one.
        is_best : bool
        """
        if not self._widths:
            self._begin(len(losses))
        cells = [str(epoch), *(f"{loss:.{self._places}f}" for loss in losses)]
        cells += [self._metric(name, result or {}) for name in self._metrics]
        line = laid_out([*cells, f"{seconds:.1f}"], self._widths)
        if is_best:
            self.best_epoch = epoch
        self._screen.show(f"{line}{GAP}{BEST}" if is_best else line, "green" if is_best else "")

    def _begin(self, n_losses: int) -> None:
        names = ["train loss"] if n_losses == 1 else [f"loss {n + 1}" for n in range(n_losses)]
        around = [len("epoch"), *(LOSS for _ in names), SECONDS]
        room = WIDTH - width_of(around) - len(GAP + BEST)
        self._metrics = fitting(self._known, room)
        widths = [max(len(name), NUMBER) for name in self._metrics]
        self._widths = [*around[:-1], *widths, SECONDS]
        self._screen.show(
            laid_out(["epoch", *names, *self._metrics, "seconds"], self._widths), "bold"
        )

    def _metric(self, name: str, result: Mapping[str, float]) -> str:
        return f"{result[name]:.{self._decimals}f}" if name in result else "-"


def metric_names(config: Any) -> list[str]:
    """Give the names of a run's metrics as results have them, first the one that chooses."""
    names = [config["valid_metric"].lower()]
    for metric in map(str.lower, config["metrics"]):
        names += [metric] if metric in WITHOUT_CUT else [f"{metric}@{k}" for k in config["topk"]]
    return list(dict.fromkeys(names))


def fitting(names: Sequence[str], room: int) -> list[str]:
    """Give as many of the first names as have room beside each other, one at least."""
    found: list[str] = []
    for name in names:
        room -= len(GAP) + max(len(name), NUMBER)
        if room < 0 and found:
            break
        found.append(name)
    return found

"""Plots of a report: the leading metric, its differences, its curves and the price of training."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import RANKED, Against, Table, spread
from recbole_imn.pages import BASELINE, Bar, Bars, Forest, Interval, Look, Panel, Panels

# What is written as 0.0000.
ZERO = 0.00005
Point = tuple[float, float]


class Painter:
    """Draws the plots of one report.

    Parameters
    ----------
    board : Board
    looks : dict of str to Look
        Of every system.
    """

    def __init__(self, board: Board, looks: Mapping[str, Look]) -> None:
        self._board, self._looks = board, looks
        self._shown = board.agreed.label

    def order(self, protocol: str) -> list[str]:
        """Give systems from the best to the worst by the leading metric, then by name."""
        return sorted(self._board.results, key=lambda one: (-self._mean(protocol, one), one))

    def bars(self, protocol: str) -> Bars:
        """Draw the leading metric of all systems; those at zero are folded."""
        bars = [self._bar(protocol, system) for system in self.order(protocol)]
        zeros = [bar for bar in bars if bar.value < ZERO]
        return Bars(
            f"{self._shown}: {RANKED[protocol]}",
            [bar for bar in bars if bar.value >= ZERO],
            "Mean over seeds; the thin line is a standard deviation over seeds to either side.",
            zeros,
            _folded(zeros, "at 0.0000"),
        )

    def forest(self, protocol: str, compared: Against) -> Forest:
        """Draw differences to the strongest baseline; those of systems at zero are folded."""
        rows = {system: self._interval(system, compared) for system in compared.found}
        ordered = sorted(rows, key=lambda system: (-rows[system].mean, system))
        zeros = [rows[one] for one in ordered if self._mean(protocol, one) < ZERO]
        return Forest(
            f"{self._shown} less that of {label(compared.baseline)}: {RANKED[protocol]}",
            [rows[one] for one in ordered if self._mean(protocol, one) >= ZERO],
            "Paired differences with 95% intervals over users and seeds.",
            zeros,
            _folded(zeros, "at 0.0000 itself"),
        )

    def curves(self) -> Panels | None:
        """Draw validation by epoch of all systems that have a curve; None without any."""
        (protocol, *_), metric = self._board.protocols, self._board.agreed.metric
        panels, flat = [], []
        for system in self.order(protocol):
            curves = [_points(run["curve"], metric) for run in self._board.results[system]]
            mean = _mean_curve(curves)
            if len(mean) < 2:
                flat.append(label(system))
                continue
            panels.append(self._panel(system, mean, curves))
        if not panels:
            return None
        level = self._validation_of_baseline(protocol)
        return Panels(
            f"{self._shown} on the validation rows by epoch",
            panels,
            self._about_curves(flat, level),
            level,
            "epoch",
        )

    def training_time(self) -> Bars:
        """Draw seconds of training, the longest first."""
        seconds = {
            system: float(np.mean([run["seconds"]["training"] for run in runs]))
            for system, runs in self._board.results.items()
        }
        ordered = sorted(seconds, key=lambda system: (-seconds[system], system))
        bars = [
            Bar(label(one), seconds[one], f"{seconds[one]:,.1f} s", self._looks[one], self.tag(one))
            for one in ordered
        ]
        return Bars("Training, mean over seeds", bars)

    def leaderboard(self, protocol: str, published: Table) -> Bars:
        """Draw our systems among those that others have published."""
        theirs = [
            Bar(name, float(figure.split()[0]), figure, BASELINE, "published")
            for name, figure, *_ in published.rows
        ]
        here = [self._bar(protocol, system) for system in self._board.results]
        bars = sorted([*theirs, *here], key=lambda bar: (-bar.value, bar.name))
        caption = "Those marked as published are copied; the others were measured here."
        return Bars(f"{self._shown} on the test rows", bars, caption)

    def tag(self, system: str) -> str:
        """Give the mark behind a name."""
        return "ours" if self._looks[system].is_ours else ""

    def _mean(self, protocol: str, system: str) -> float:
        return float(self._board.metric(system, protocol, self._board.agreed.metric).mean())

    def _bar(self, protocol: str, system: str) -> Bar:
        values = self._board.metric(system, protocol, self._board.agreed.metric)
        is_best = system == self._board.best_baseline(protocol)
        return Bar(
            label(system),
            float(values.mean()),
            spread(values),
            self._looks[system],
            "strongest baseline" if is_best else self.tag(system),
            float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        )

    def _interval(self, system: str, compared: Against) -> Interval:
        one = compared.found[system].figure
        # Where there is no interval it has no length.
        low, high = np.nan_to_num([one.low, one.high], nan=one.mean).tolist()
        figure = one.mean, low, high, str(one)
        return Interval(label(system), *figure, self._looks[system], self.tag(system))

    def _panel(self, system: str, mean: list[Point], curves: list[list[Point]]) -> Panel:
        epoch, best = max(mean, key=lambda point: point[1])
        return Panel(
            label(system),
            f"best {best:.4f} in epoch {epoch:g}",
            mean,
            [curve for curve in curves if len(curve) > 1] if len(curves) > 1 else [],
            self._looks[system],
            self.tag(system),
        )

    def _validation_of_baseline(self, protocol: str) -> float | None:
        """Give the strongest baseline's best figure on the validation rows, if it is known."""
        baseline, metric = self._board.best_baseline(protocol), self._board.agreed.metric
        if baseline is None:
            return None
        found = [run["validation"].get(metric) for run in self._board.results[baseline]]
        known = [value for value in found if value is not None and np.isfinite(value)]
        return float(np.mean(known)) if known else None

    def _about_curves(self, flat: list[str], level: float | None) -> str:
        text = "The same axes in every panel; the mean of the seeds, each of them thin behind it."
        if level is not None:
            baseline = self._board.best_baseline(self._board.protocols[0]) or ""
            text += (
                f" Dashed: {label(baseline)}, the strongest baseline, at its best ({level:.4f})."
            )
        if flat:
            text += f" Without a curve, having learnt at most one epoch: {', '.join(sorted(flat))}."
        return text


def is_zero(cell: str) -> bool:
    """Whether a cell of a table says 0.0000, or -, and no more."""
    return re.fullmatch(r"\**0\.0000( ± 0\.0000)?\**", cell) is not None


def _folded(rows: list[Bar] | list[Interval], where: str) -> str:
    names = ", ".join(row.name for row in rows)
    return f"{len(rows)} {'model' if len(rows) == 1 else 'models'} {where}: {names}"


def _points(curve: list[Mapping[str, float]], metric: str) -> list[Point]:
    """Give epochs and values of a run, where there is a number."""
    return [
        (float(point["epoch"]), float(point[metric]))
        for point in curve
        if point.get(metric) is not None and np.isfinite(point[metric])
    ]


def _mean_curve(curves: list[list[Point]]) -> list[Point]:
    """Average curves at each epoch over those that reached it."""
    by_epoch: dict[float, list[float]] = {}
    for epoch, value in (point for curve in curves for point in curve):
        by_epoch.setdefault(epoch, []).append(value)
    return [(epoch, float(np.mean(values))) for epoch, values in sorted(by_epoch.items())]

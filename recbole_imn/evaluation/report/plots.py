"""Plots of a report."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from recbole_imn.evaluation.report.gather import Board, label
from recbole_imn.evaluation.report.parts import PROTOCOLS

HEIGHT = 420


def plots(board: Board) -> list[str]:
    """Give the plots as pieces of HTML; the first one carries plotly itself."""
    shown = board.agreed.label
    figures = {f"{shown} of all models": _bars(board), "Learning curves": _curves(board)}
    pieces = []
    for place, (title, figure) in enumerate(figures.items()):
        figure.update_layout(
            height=HEIGHT,
            margin={"l": 50, "r": 10, "t": 10, "b": 40},
            legend={"orientation": "h", "y": -0.25},
            template="plotly_white",
        )
        piece = figure.to_html(
            full_html=False,
            include_plotlyjs=place == 0,
            config={"responsive": True, "displaylogo": False},
            div_id=f"plot-{place}",
        )
        pieces += [f"<h2>{title}</h2>", piece]
    return pieces


def _bars(board: Board) -> Any:
    """Draw the leading metric by model, a colour a protocol, with the deviation over seeds."""
    figure = go.Figure()
    for protocol in board.protocols:
        values = [board.metric(model, protocol, board.agreed.metric) for model in board.results]
        deviations = [one.std(ddof=1) if len(one) > 1 else 0.0 for one in values]
        figure.add_bar(
            name=PROTOCOLS[protocol],
            x=[label(model) for model in board.results],
            y=[float(one.mean()) for one in values],
            error_y={"type": "data", "array": deviations},
        )
    return figure.update_yaxes(title=f"{board.agreed.label}, test")


def _curves(board: Board) -> Any:
    """Draw the leading metric in validation by epoch, the mean of the seeds that reached it."""
    figure, metric = go.Figure(), board.agreed.metric
    for model, runs in board.results.items():
        by_epoch: dict[int, list[float]] = {}
        for run in runs:
            for point in run["curve"]:
                if metric in point:
                    by_epoch.setdefault(point["epoch"], []).append(point[metric])
        figure.add_scatter(
            name=label(model),
            x=list(by_epoch),
            y=[float(np.mean(values)) for values in by_epoch.values()],
            mode="lines+markers",
        )
    return figure.update_xaxes(title="epoch").update_yaxes(
        title=f"{board.agreed.label}, validation"
    )

"""Plots of a report as plain figures for plotly.js, binned here so that the page stays small."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_imn.data.describe import measures
from recbole_imn.data.describe.log import Log, Reals

DAY = measures.DAY
Figure = dict[str, Any]
LOG_SCALE = {"type": "log", "dtick": 1}


def figures(log: Log) -> list[Figure]:
    """Give all plots that the log has data for."""
    plots = [
        _actions(log),
        _activity(log, "user"),
        _activity(log, "item"),
        _life(log),
        _batches(log),
    ]
    if log.behavior:
        plots.insert(1, _behaviors(log))
    if log.stays is not None:
        plots.append(_shelf(log))
    return plots


def _figure(title: str, x: str, y: str, traces: list[Figure], **layout: Any) -> Figure:
    axes = {
        "xaxis": {"title": {"text": x}, **layout.pop("xaxis", {})},
        "yaxis": {"title": {"text": y}, "rangemode": "tozero", **layout.pop("yaxis", {})},
    }
    # The title keeps to the left: plotly's buttons are on the right.
    frame = {
        "title": {"text": title, "x": 0.02},
        "legend": {"orientation": "h", "y": 1.12},
        "margin": {"t": 70, "r": 60},
        "height": 360,
    }
    return {"data": traces, "layout": {**frame, **axes, **layout}}


def _moments(log: Log, times: Reals) -> list[Any]:
    """Give times as dates if the origin is known, else as days."""
    if log.origin is None:
        return [round(float(time), 4) for time in times / DAY]
    start = np.datetime64(log.origin.replace(tzinfo=None), "s")
    return [str(moment) for moment in start + times.astype("timedelta64[s]")]


def _time_label(log: Log) -> str:
    return "days since the origin" if log.origin is None else "date"


def _per_day(log: Log, times: Reals) -> tuple[list[Any], list[int]]:
    first = int(log.time[0] // DAY)
    counts = np.bincount((times // DAY).astype(np.int64) - first)
    return _moments(log, (first + np.arange(len(counts), dtype=np.float64)) * DAY), counts.tolist()


def _actions(log: Log) -> Figure:
    x, y = _per_day(log, log.time)
    traces: list[Figure] = [{"type": "scatter", "name": "actions", "x": x, "y": y}]
    if log.purchase is not None and log.purchase.any():
        x, y = _per_day(log, log.time[log.purchase])
        traces.append({"type": "scatter", "name": "purchases", "x": x, "y": y, "yaxis": "y2"})
    right = {
        "overlaying": "y",
        "side": "right",
        "rangemode": "tozero",
        "tickmode": "auto",
        "showgrid": False,
        "title": {"text": "purchases"},
    }
    return _figure("Actions and purchases a day", _time_label(log), "actions", traces, yaxis2=right)


def _behaviors(log: Log) -> Figure:
    trace = {"type": "bar", "x": list(log.behavior), "y": list(log.behavior.values())}
    kinds = {"type": "category"}
    return _figure("Kinds of action", "", "actions", [trace], xaxis=kinds, yaxis=LOG_SCALE)


def _activity(log: Log, entity: str) -> Figure:
    x, y = measures.log_histogram(np.bincount(getattr(log, entity)))
    trace = {"type": "scatter", "mode": "lines+markers", "x": x.tolist(), "y": y.tolist()}
    return _figure(
        f"Actions of a{'n' if entity == 'item' else ''} {entity}",
        "actions",
        f"{entity}s",
        [trace],
        xaxis=LOG_SCALE,
        yaxis=LOG_SCALE,
    )


def _life(log: Log) -> Figure:
    _, days = measures.life_times(log)
    counts, edges = np.histogram(days, bins=60)
    trace = {"type": "bar", "x": ((edges[1:] + edges[:-1]) / 2).tolist(), "y": counts.tolist()}
    return _figure("Life of an item: first to last event", "days", "items", [trace], bargap=0)


def _batches(log: Log) -> Figure:
    traces = []
    for window in measures.WINDOWS:
        _, times, means = measures.batches(log, window)
        name = f"windows of {window}"
        trace = {"type": "scatter", "name": name, "x": _moments(log, times), "y": means.tolist()}
        traces.append(trace)
    return _figure("Mean size of a t-batch", _time_label(log), "events", traces)


def _shelf(log: Log) -> Figure:
    _, days, there = measures.shelf(log)
    trace = {"type": "scatter", "x": _moments(log, days), "y": there.tolist(), "fill": "tozeroy"}
    return _figure("Items on the shelf at noon", _time_label(log), "items", [trace])

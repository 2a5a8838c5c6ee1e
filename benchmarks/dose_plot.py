"""A plot of a figure by dose, as SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import numpy as np

from recbole_imn.evaluation.significance import Figure

WIDTH, HEIGHT, LEFT, TOP, LEGEND = 460, 300, 70, 40, 250
COLOURS = (
    "#222222", "#888888", "#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b",
    "#17becf", "#e377c2",
)  # fmt: skip
Curves = Mapping[str, Sequence[Figure]]


def dose_plot(title: str, doses: Sequence[float], curves: Curves, unit: str) -> str:
    """Give curves with their 95% intervals over evenly spaced doses.

    Parameters
    ----------
    title : str
    doses : sequence of float
        Named below the axis.
    curves : mapping of str to sequence of Figure
        By name; a figure for each dose.
    unit : str
        Of the vertical axis.
    """
    low, high = _limits(curves)
    marks = [*_frame(title, doses, unit, low, high)]
    for number, (name, figures) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        # Beside each other, so that intervals can be told apart.
        shift = 4 * (number - (len(curves) - 1) / 2)
        points = [
            (_across(place, len(doses)) + shift, figure) for place, figure in enumerate(figures)
        ]
        marks += _curve(points, colour, low, high)
        marks += _key(name, colour, number)
    size = f'width="{LEFT + WIDTH + LEGEND}" height="{TOP + HEIGHT + 50}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *marks, "</svg>"])


def _limits(curves: Curves) -> tuple[float, float]:
    values = [
        value
        for figures in curves.values()
        for figure in figures
        for value in (figure.low, figure.mean, figure.high)
        if np.isfinite(value)
    ]
    low, high = min([*values, 0.0]), max([*values, 0.0])
    room = 0.05 * (high - low) or 1e-3
    return low - room, high + room


def _across(place: int, n: int) -> float:
    return LEFT + WIDTH * (place + 0.5) / n


def _down(value: float, low: float, high: float) -> float:
    return TOP + HEIGHT * (high - value) / (high - low)


def _frame(title: str, doses: Sequence[float], unit: str, low: float, high: float) -> list[str]:
    lines = [f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>']
    for value in np.linspace(low, high, 6):
        y = _down(value, low, high)
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:+.3f}</text>')
    zero = _down(0.0, low, high)
    lines.append(_line(LEFT, zero, LEFT + WIDTH, zero, "#bbbbbb"))
    lines.append(_line(LEFT, TOP, LEFT, TOP + HEIGHT, "#444444"))
    for place, dose in enumerate(doses):
        x, y = _across(place, len(doses)), TOP + HEIGHT + 18
        lines.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{dose:g}</text>')
    below = TOP + HEIGHT + 38
    lines.append(
        f'<text x="{LEFT + WIDTH / 2}" y="{below}" text-anchor="middle">resource strength</text>'
    )
    lines.append(f'<text x="{LEFT}" y="{TOP - 6}">{escape(unit)}</text>')
    return lines


def _curve(
    points: Sequence[tuple[float, Figure]], colour: str, low: float, high: float
) -> list[str]:
    known = [(x, figure) for x, figure in points if np.isfinite(figure.mean)]
    path = " ".join(f"{x:.1f},{_down(figure.mean, low, high):.1f}" for x, figure in known)
    marks = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>']
    for x, figure in known:
        y = _down(figure.mean, low, high)
        marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')
        if np.isfinite(figure.low):
            ends = (_down(value, low, high) for value in (figure.low, figure.high))
            marks.append(_line(x, next(ends), x, next(ends), colour))
    return marks


def _key(name: str, colour: str, number: int) -> list[str]:
    x, y = LEFT + WIDTH + 12, TOP + 10 + 20 * number
    return [
        _line(x, y, x + 20, y, colour),
        f'<text x="{x + 26}" y="{y + 4}">{escape(name)}</text>',
    ]


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"/>'

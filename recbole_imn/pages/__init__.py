"""Pages of HTML: one file each, plots drawn as plain HTML and SVG, no script and no network.

Plots are made by our own templates, not by a plotting library: a page is then some tens of
kilobytes instead of megabytes, its text keeps its size on a telephone, follows the reader's light
or dark scheme and the printer, and can be searched and read aloud.
"""

from __future__ import annotations

from recbole_imn.pages.figures import (
    Bar,
    Bars,
    Dot,
    DotRow,
    Dots,
    Figure,
    Forest,
    Interval,
    Panel,
    Panels,
    Series,
)
from recbole_imn.pages.looks import BASELINE, PLAIN, Look, ours
from recbole_imn.pages.parts import Fold, Page, Part, Table, Tile
from recbole_imn.pages.rendering import render

__all__ = [
    "BASELINE",
    "PLAIN",
    "Bar",
    "Bars",
    "Dot",
    "DotRow",
    "Dots",
    "Figure",
    "Fold",
    "Forest",
    "Interval",
    "Look",
    "Page",
    "Panel",
    "Panels",
    "Part",
    "Series",
    "Table",
    "Tile",
    "ours",
    "render",
]

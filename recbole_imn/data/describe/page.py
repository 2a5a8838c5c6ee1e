"""A page that needs nothing but itself: figures, plots and the plotting script in one file."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from recbole_imn.data.describe.published import NOTE, rows
from recbole_imn.data.describe.report import PUBLISHED, column, facts

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ccc; text-align: right }
th:first-child, td:first-child { text-align: left }
.simulated { background: #fff3cd; border: 1px solid #b58900; padding: .75rem 1rem }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(28rem, 1fr)); gap: 1rem }
"""
# What went wrong and how many plots are there can be read from the page itself.
WATCH = """
const page = document.documentElement.dataset, errors = [];
page.errors = "[]"; page.drawn = "0";
const report = problem => { errors.push(String(problem)); page.errors = JSON.stringify(errors); };
window.addEventListener("error", event => report(event.message));
window.addEventListener("unhandledrejection", event => report(event.reason));
"""
DRAW = """
const figures = JSON.parse(document.getElementById("figures").textContent);
page.plots = String(figures.length);
figures.forEach((figure, place) => {
  const options = { responsive: true, displaylogo: false };
  Plotly.newPlot("plot" + place, figure.data, figure.layout, options)
    .then(() => { page.drawn = String(Number(page.drawn) + 1); }, report);
});
"""


def html(name: str, report: dict[str, Any], plots: list[dict[str, Any]], notice: str | None) -> str:
    """Write the page.

    Parameters
    ----------
    name : str
        Name of the data set.
    report : dict
        What :func:`~recbole_imn.data.describe.measures.measure` gave.
    plots : list of dict
        Figures with ``data`` and ``layout`` for plotly.js.
    notice : str or None
        That the data is simulated, if it is.
    """
    from plotly.offline import get_plotlyjs

    title = column(name, notice)
    body = [
        f"<h1>Data set {escape(title)}</h1>",
        f'<p class="simulated">{escape(notice)}</p>' if notice else "",
        *(f'<p class="simulated">{escape(note)}</p>' for note in report["notes"]),
        _table(rows(report["size"]), ("", title, *PUBLISHED)),
        f"<p>{escape(NOTE)}</p>",
        _table(facts(report), ("", title)),
        '<div class="plots">',
        *(f'<div id="plot{place}"></div>' for place in range(len(plots))),
        "</div>",
        f'<script type="application/json" id="figures">{_json(plots)}</script>',
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f"<script>{WATCH}</script><script>{get_plotlyjs()}</script></head>\n<body>\n"
        + "\n".join(body)
        + f"\n<script>{DRAW}</script>\n</body></html>\n"
    )


def _json(value: Any) -> str:
    """Write JSON that cannot end the script element that it stands in."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def _table(lines: list[Any], header: tuple[str, ...]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in line) for line in lines)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"

"""A report as one HTML file that needs nothing else, plots included."""

from __future__ import annotations

from html import escape

from recbole_imn.evaluation.report.gather import Board
from recbole_imn.evaluation.report.parts import Contents, Section, Table
from recbole_imn.evaluation.report.plots import plots

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.notice { background: #fff3cd; border-left: 4px solid #b58900; padding: .5rem 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { border-bottom: 1px solid #ddd; padding: .3rem .7rem; text-align: right; }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def html_page(contents: Contents, board: Board) -> str:
    """Give the whole page: notices, the first table, the plots, everything else."""
    notices = [f'<p class="notice">{escape(notice)}</p>' for notice in contents.notices]
    first, *rest = map(_section, contents.sections)
    body = "\n".join([*notices, first, *plots(board), *rest])
    return PAGE.format(title=escape(contents.title), style=STYLE, body=body)


def html_table(table: Table) -> str:
    """Give a table that scrolls by itself where the page is narrow."""
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{rows}\n</table></div>'


def _cell(text: str) -> str:
    if text.startswith("**"):
        return f"<td><b>{escape(text[2:-2])}</b></td>"
    return f"<td>{escape(text)}</td>"


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in section.sentences]
    if section.table is not None:
        parts.append(html_table(section.table))
    return "\n".join(parts)

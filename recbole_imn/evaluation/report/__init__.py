"""The report of a benchmark: one markdown page, and the same with plots as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.evaluation.report.contents import make_contents
from recbole_imn.evaluation.report.gather import gather
from recbole_imn.evaluation.report.html import html_page
from recbole_imn.evaluation.report.markdown import markdown_page
from recbole_imn.files import replace_text

__all__ = ["write_report"]


def write_report(runs: Sequence[Run], failures: Mapping[str, str], folder: Path) -> list[Path]:
    """Write ``FOLDER.md`` and ``FOLDER.html`` from the finished runs.

    Parameters
    ----------
    runs : sequence of Run
        The plan.
    failures : mapping of str to str
        Why runs failed, by their names.
    folder : Path
        Of the benchmark.

    Returns
    -------
    list of Path
        The pages; none if no run is finished.

    Raises
    ------
    ValueError
        If runs were tested on different rows.
    """
    board = gather(runs, failures, folder)
    if not board.results:
        return []
    contents = make_contents(board)
    pages = {".md": markdown_page(contents), ".html": html_page(contents, board)}
    paths = []
    for suffix, page in pages.items():
        path = folder.with_name(folder.name + suffix)
        replace_text(path, page)
        paths.append(path)
    return paths

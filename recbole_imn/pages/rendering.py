"""From the data of a page to its HTML."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from recbole_imn.pages.parts import Page


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("recbole_imn.pages"),
        # Every text is escaped, wherever it comes from.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["bold"] = _is_bold
    return environment


def _is_bold(cell: str) -> bool:
    return len(cell) > 4 and cell.startswith("**") and cell.endswith("**")


def render(page: Page) -> str:
    """Give a page as one file of HTML that loads nothing and runs no script."""
    return _environment().get_template("page.html").render(page=page)

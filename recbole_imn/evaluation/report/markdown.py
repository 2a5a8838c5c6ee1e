"""A report as a markdown page."""

from __future__ import annotations

from recbole_imn.evaluation.report.parts import Contents, Section, Table


def markdown_page(contents: Contents) -> str:
    """Give the whole page."""
    notices = [f"**{notice}**" for notice in contents.notices]
    parts = [f"# {contents.title}", *notices, *map(_section, contents.sections)]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """Give a table with its head."""
    lines = [table.columns, ("---",) * len(table.columns), *table.rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _section(section: Section) -> str:
    parts = [f"## {section.title}", *section.sentences]
    if section.table is not None:
        parts.append(markdown_table(section.table))
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    # IMN-Net* stays as it is; **bold** has two stars on either side.
    return text.replace("|", r"\|").replace("Net*", r"Net\*")

"""Docstrings as the site has them: roles become code, and equations fences."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

import griffe

ROLE = re.compile(r":(?:py:)?(?:func|class|meth|mod|data|attr|exc|obj):`(?P<shown>[^`]+)`")
INLINE = re.compile(r":math:`([^`]+)`")
EQUATION = re.compile(
    r"^(?P<indent> *)\.\. math::(?P<first>.*)\n(?P<body>(?:\n*(?P=indent) +\S.*\n)*)", re.MULTILINE
)
DOUBLE = re.compile(r"(?<!`)``(?!`)")


def as_markdown(text: str) -> str:
    """Give a docstring in Markdown."""
    text = EQUATION.sub(equation, text + "\n").rstrip("\n")
    text = ROLE.sub(lambda found: f"`{shown(found['shown'])}`", text)
    return DOUBLE.sub("`", INLINE.sub(lambda found: f"`{found[1]}`", text))


def equation(found: re.Match[str]) -> str:
    """Give a directive ``math`` as a fence."""
    body = f"{found['first'].strip()}\n{dedent(found['body'])}".strip("\n")
    lines = ["```math", *body.splitlines(), "```"]
    return "".join(f"{found['indent']}{line}\n" for line in lines) + "\n"


def shown(name: str) -> str:
    """Give what a role shows: after a tilde, the last part of the name."""
    return name.rpartition(".")[2] if name.startswith("~") else name


class Docstrings(griffe.Extension):
    """Change docstrings when they are loaded."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Turn an object's docstring into Markdown."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)

"""Systems that are compared: a model, or a model with some of its settings switched.

A system is named by the model and its switches, such as ``IMNNet fusion=concat``, so that a
table says of each what it is, and whoever looks for one knows its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recbole_imn.literals import read_literal


@dataclass(frozen=True)
class System:
    """A model and the settings in which it differs from the model of that name.

    Attributes
    ----------
    model : str
    switches : mapping of str to value
        In order of their names.
    """

    model: str
    switches: Mapping[str, Any] = field(default_factory=dict)

    @property
    def variant(self) -> str:
        """The switches as text, ``KEY=VALUE`` with spaces between; empty without any."""
        return " ".join(f"{key}={_written(value)}" for key, value in self.switches.items())

    @property
    def name(self) -> str:
        """The model and its switches; two ways to write the same have one name."""
        return f"{self.model} {self.variant}".rstrip()


def split_names(text: str) -> list[str]:
    """Give the systems that are named with commas between, but for those in brackets."""
    names = (name.strip() for name in re.split(r",(?![^\[]*\])", text))
    return [name for name in names if name]


def parse_system(text: str) -> System:
    """Read ``MODEL KEY=VALUE KEY=VALUE``, values as on the command line, without spaces.

    Raises
    ------
    ValueError
        If a switch is no ``KEY=VALUE``, or is given twice.
    """
    model, *parts = text.split() or [""]
    switches: dict[str, Any] = {}
    for part in parts:
        key, _, value = part.partition("=")
        if not (key and value):
            raise ValueError(f"the system {text!r} has {part!r}; write MODEL KEY=VALUE")
        if key in switches:
            raise ValueError(f"the system {text!r} sets {key} twice; leave one of them out")
        switches[key] = read_literal(value)
    return System(model, dict(sorted(switches.items())))


def model_of(name: str) -> str:
    """Give the model of a system's name."""
    return name.partition(" ")[0]


def _written(value: Any) -> str:
    """Write a value so that equal ones are written alike, without spaces."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).replace(" ", "")
    if isinstance(value, int) or value.is_integer():
        return str(int(value))  # minus zero is zero
    short = f"{value:g}"
    return short if float(short) == value else repr(value)

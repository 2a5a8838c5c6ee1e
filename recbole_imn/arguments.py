"""Reading the options of commands, with faults in one line like all others."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one ``error:`` line, without the usage around it."""

    def error(self, message: str) -> NoReturn:
        """End the program with exit status 2."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def positive(text: str) -> int:
    """Read a whole number above 0.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    number = int(text) if text.strip().isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


def positive_number(text: str) -> float:
    """Read a number above 0.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    return _number(text, lambda number: 0 < number < float("inf"), "above 0")


def share(text: str) -> float:
    """Read a number from 0 to 1.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    return _number(text, lambda number: 0 <= number <= 1, "from 0 to 1")


def part(text: str) -> float:
    """Read a part of a whole, above 0: ``5%`` or ``0.05``.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    plain = text.strip()
    whole = 100.0 if plain.endswith("%") else 1.0
    try:
        number = float(plain.removesuffix("%"))
    except ValueError:
        number = float("nan")
    if not 0 < number <= whole:
        raise argparse.ArgumentTypeError(f"{text!r} is no share above 0, such as 5% or 0.05")
    return number / whole


def _number(text: str, fits: Callable[[float], bool], wanted: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    # What is no number fits no bounds.
    if not fits(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no number {wanted}")
    return number

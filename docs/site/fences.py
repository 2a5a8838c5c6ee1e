"""Blocks of a page: what is to be run, and what it printed.

``sh``      commands; a block ``text`` right after it is what they printed.
``console`` commands behind ``$``, each followed by what it printed; ``...`` stands for any lines.
``python``  code; all of a page's is one program.

A note after the language says ``fails`` where a command is to end with an error, and
``long="REASON"`` where it is not run by the tests.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^```(?P<language>[\w-]*)(?P<note>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
LONG = re.compile(r'^long="(?P<reason>[^"]+)"$')
RUN = ("sh", "console", "python")


@dataclass(frozen=True)
class Command:
    """Commands that run together, and what the page shows of what they print.

    Attributes
    ----------
    text : str
    shown : str or None
        None where the page shows nothing.
    fails : bool
        Whether they are to end with an error.
    before : str
        What stands between the text and what is shown.
    """

    text: str
    shown: str | None
    fails: bool = False
    before: str = ""

    def rewritten(self, page: str, printed: str) -> str:
        """Give a page that shows what was printed, where it shows anything else."""
        if self.shown is None or agrees(self.shown, printed):
            return page
        start = f"{self.text}{self.before}"
        return page.replace(f"{start}{self.shown}", f"{start}{printed}")


@dataclass(frozen=True)
class Block:
    """A fence of a page.

    Attributes
    ----------
    language, note, text : str
        ``note`` is what stands after the language.
    shown : str or None
        The block ``text`` right after it.
    line : int
        Of the page, from 1.
    """

    language: str
    note: str
    text: str
    shown: str | None
    line: int

    @property
    def reason(self) -> str | None:
        """Why it is not run; None where it is."""
        found = LONG.match(self.note)
        return found["reason"] if found else None

    def commands(self) -> Iterator[Command]:
        """Give what is run of it, in order."""
        if self.reason or self.language not in ("sh", "console"):
            return
        if self.language == "sh":
            yield Command(self.text, self.shown, self.note == "fails", "```\n\n```text\n")
        else:
            yield from prompted(self.text)


def blocks(page: str) -> list[Block]:
    """Give all fences of a page."""
    found, last = [], None
    for match in FENCE.finditer(page):
        line = page[: match.start()].count("\n") + 1
        if match["language"] == "text" and last and not page[last : match.start()].strip():
            block = found[-1]
            found[-1] = Block(block.language, block.note, block.text, match["text"], block.line)
        found.append(Block(match["language"], match["note"].strip(), match["text"], None, line))
        last = match.end() if match["language"] == "sh" else None
    return found


def prompted(text: str) -> Iterator[Command]:
    """Give the commands behind ``$``, and what stands below each."""
    command, shown, complete = "", "", True
    for line in text.splitlines(keepends=True):
        if complete and line.startswith("$ "):
            if command:
                yield Command(command, shown, shown.startswith("error:"))
            command, shown = line.removeprefix("$ "), ""
            complete = is_complete(command)
        elif complete:
            shown += line
        else:
            command += line
            complete = is_complete(command)
    yield Command(command, shown, shown.startswith("error:"))


def is_complete(command: str) -> bool:
    """Whether a shell would not wait for more: quotes are closed, no backslash ends it."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.rstrip("\n").endswith("\\")


def masked(text: str) -> str:
    """Give an output without what varies: numbers, ids made of them, blanks, widths of tables."""
    text = re.sub(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", "#", text)
    return "".join(re.sub(r"={4,}", "====", text).split())


def agrees(shown: str, printed: str) -> bool:
    """Whether an output is what a page shows, ``...`` standing for anything."""
    if not shown.strip():
        return True
    pattern = re.escape(masked(shown)).replace(r"\.\.\.", ".*")
    return re.fullmatch(pattern, masked(printed)) is not None

"""The Dockerfile, read: no test builds an image."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from recbole_imn.__main__ import main
from tests.reliability.test_packaging import SOURCES

ROOT = Path(__file__).parents[2]
# Lines that end in a backslash go on.
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
COPIES = [line.split()[1:-1] for line in LINES if re.match(r"COPY (?!--from)", line)]
COPIED = [name for names in COPIES for name in names]


def place(start):
    """Where the first line with a beginning stands in the last stage."""
    last = max(number for number, line in enumerate(LINES) if line.startswith("FROM "))
    return next(
        number for number, line in enumerate(LINES) if number > last and line.startswith(start)
    )


def reaches_the_build(name):
    """Whether a file of the checkout is let through; the last rule that fits it says so."""
    rules = [rule for rule in IGNORED if fnmatch(name, rule.lstrip("!"))]
    return bool(rules) and rules[-1].startswith("!")


@pytest.mark.parametrize("name", COPIED)
def test_what_is_copied_is_there_and_is_let_through(name):
    assert (ROOT / name).exists()
    assert reaches_the_build(name)


def test_all_that_the_wheel_is_made_of_is_copied():

    assert set(SOURCES) <= set(COPIED)


def test_the_service_runs_as_nobody_in_particular_where_it_may_write():
    assert re.fullmatch(r"USER (?!root|0\b)\w+", LINES[place("USER")])
    made = LINES[place("RUN useradd")]
    assert LINES[place("USER")].split()[1] in made
    folder, loops = (
        LINES[place("WORKDIR")].split()[1],
        re.search(r"NUMBA_CACHE_DIR=(\S+)", "\n".join(LINES)),
    )
    assert {folder, loops.group(1)} <= set(made.split("--mode 1777 ")[1].split())
    assert place("RUN useradd") < place("USER") < place("ENTRYPOINT")


def test_the_entry_point_is_a_command_of_the_package():

    words = json.loads(LINES[place("ENTRYPOINT")].removeprefix("ENTRYPOINT "))
    assert words[0] == "recbole-imn"
    with pytest.raises(SystemExit) as end:
        main([words[1], "--help"])
    assert end.value.code == 0

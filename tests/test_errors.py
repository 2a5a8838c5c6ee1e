"""Errors for people have a room of their own."""

import ast
from pathlib import Path

from recbole_imn import errors

PACKAGE = Path(errors.__file__).parent
# They never reach people: one is told with its row, the other leads to a newer service.
CAUGHT_INSIDE = {"FarValue", "Retired"}


def classes_of_errors() -> set[str]:
    named = {name for name, value in vars(errors).items() if isinstance(value, type)}
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if file != PACKAGE / "errors.py" and isinstance(node, ast.ClassDef):
                found |= {node.name for base in node.bases if getattr(base, "id", "") in named}
    return found


def test_no_other_module_makes_errors_for_people():
    assert classes_of_errors() == CAUGHT_INSIDE


def test_programs_catch_all_of_them_as_one():
    made = [value for value in vars(errors).values() if isinstance(value, type)]
    made.remove(errors.MissingRecBoleError)
    assert all(issubclass(value, errors.RecBoleImnError) for value in made)
    assert issubclass(errors.RecBoleImnError, ValueError)

"""Code that must not run, and errors for people."""

from __future__ import annotations

TOUCH = "__import__('pathlib').Path('owned').touch()"


class Pickled:
    """Touches a file when it is unpickled."""

    def __reduce__(self):
        return eval, (TOUCH,)


def one_line(error) -> bool:
    return "\n" not in str(error.value)

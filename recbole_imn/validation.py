"""Checks of nested settings by pydantic, with its findings told in one line for people."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

Model = TypeVar("Model", bound=BaseModel)
Kind = TypeVar("Kind")
# Characters of a value that a message shows.
MAX_SHOWN = 200
# What people call the types that pydantic names.
EXPECTED = {
    "bool_type": "True or False",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a list of NAME: VALUE",
    "mapping_type": "a list of NAME: VALUE",
    "model_type": "a list of NAME: VALUE",
    "greater_than": "above {gt}",
    "greater_than_equal": "{ge} or above",
    "less_than": "below {lt}",
    "less_than_equal": "{le} or below",
    "literal_error": "one of {expected}",
    "too_short": "a list that is not empty",
    "string_too_short": "text that is not empty",
}


class Strict(BaseModel):
    """Base of settings that never change: no unknown keys, no values of another type.

    A whole number passes as a float; nothing else is turned into another type, so that the
    text ``"False"`` is not true, and 1.5 is not 1.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def told(error: type[ValueError]) -> Callable[[type[Kind]], type[Kind]]:
    """Let the constructor of a pydantic dataclass raise in one line, however it is called.

    Parameters
    ----------
    error : type
        What is raised.
    """

    def decorate(kind: type[Kind]) -> type[Kind]:
        original: Callable[..., None] = kind.__init__

        @wraps(original)
        def init(self: Kind, *args: Any, **values: Any) -> None:
            try:
                original(self, *args, **values)
            except ValidationError as reason:
                raise error(_first(kind, reason)) from reason

        setattr(kind, "__init__", init)  # noqa: B010  (mypy knows no assignment to it)
        return kind

    return decorate


def validated(
    model: type[Model], values: Mapping[str, Any], what: str, error: type[ValueError]
) -> Model:
    """Make a model of values, or raise in one line with the first thing that is wrong.

    Parameters
    ----------
    model : type
        A subclass of :class:`Strict`.
    values : mapping of str to object
    what : str
        What the values are, at the start of the message, such as a file's name; may be empty.
    error : type
        What is raised.

    Raises
    ------
    error
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as reason:
        prefix = f"{what}: " if what else ""
        raise error(prefix + _first(model, reason)) from reason


_NAME = r"\s*(?!(?i:inf|nan|none|true|false)\s*[,\]])[^\W\d][\w@.-]*\s*"
# Not [5,inf], an interval.
_NAMES = re.compile(rf"\s*\[{_NAME}(,{_NAME})*,?\s*\]\s*")


def listed_names(text: str) -> list[str]:
    """Read ``[a, b]``, as yaml and the command line have it; empty if it is no list of names."""
    if not _NAMES.fullmatch(text):
        return []
    return [name.strip() for name in text.strip()[1:-1].split(",") if name.strip()]


def nearest(key: object, known: Collection[str], prefix: str = "") -> str:
    """Give a hint at the known key that is most like an unknown one, or nothing."""
    near = nearest_names(key, known, n=1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def nearest_names(name: object, known: Collection[str], n: int = 3) -> list[str]:
    """Give the known names that are most like a name, the best first.

    Those that differ in upper and lower case only come before all others.

    Parameters
    ----------
    name : object
    known : collection of str
    n : int
        How many at most.
    """
    text = str(name)[:MAX_SHOWN]
    folded: dict[str, list[str]] = {}
    for other in sorted(known):
        folded.setdefault(other.casefold(), []).append(other)
    near = difflib.get_close_matches(text.casefold(), folded, n=n)
    return [other for match in near for other in folded[match]][:n]


def shown(value: object) -> str:
    """Write a value for a message, in one line that is cut where it is long."""
    try:
        text = repr(value).replace("\n", " ")
    except ValueError:  # digits of a number, of which Python writes some thousands at most
        return "a number of thousands of digits"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text):,} characters)"


def _first(model: type[Any], reason: ValidationError) -> str:
    """Say the first thing that pydantic has found."""
    errors = reason.errors(include_url=False)
    found = errors[0]
    if found["type"] == "missing":
        # A name with a slip is both unknown and missing.
        beside = (one for one in errors if one["loc"][:-1] == found["loc"][:-1])
        found = next((one for one in beside if one["type"] == "extra_forbidden"), found)
    return _told(found, _keys(model, found["loc"][:-1]))


def _told(found: Any, known: Collection[str]) -> str:
    """Say one finding of pydantic: the key, the value, and what it must be."""
    key = _path(found["loc"])
    kind, value = found["type"], found["input"]
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        there = f"; there are {', '.join(sorted(known))}" if known else ""
        hint = nearest(found["loc"][-1], known) or there
        return f"unknown key {key!r}{hint}"
    if kind == "missing":
        return f"{key} is missing"
    if kind in EXPECTED:
        limits = {name: _short(limit) for name, limit in found.get("ctx", {}).items()}
        return f"{key} is {shown(value)}; it must be {EXPECTED[kind].format(**limits)}"
    # Validators of our own say it all; their messages stand behind pydantic's prefix.
    reason = str(found["msg"]).removeprefix("Value error, ")
    return f"{key} is {shown(value)}; {reason}" if key else reason


def _path(parts: tuple[int | str, ...]) -> str:
    """Write a place inside settings, such as ``eval_args.split.RS[2]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def _short(limit: object) -> object:
    """Write the limit 0.0 as 0."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _keys(model: type[Any], path: tuple[int | str, ...]) -> Collection[str]:
    """Give the keys that a model has at a place inside it."""
    for part in path:
        field = model.__pydantic_fields__.get(part)
        kind = None if field is None else field.annotation
        # Of X | None, the model X.
        models = [one for one in (kind, *get_args(kind)) if hasattr(one, "__pydantic_fields__")]
        if not models:
            return ()
        model = models[0]
    return tuple(model.__pydantic_fields__)

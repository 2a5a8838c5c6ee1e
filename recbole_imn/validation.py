"""Checks of nested settings by pydantic, with its findings told in one line for people."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

Model = TypeVar("Model", bound=BaseModel)
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
    "literal_error": "{expected}",
}


class Strict(BaseModel):
    """Base of settings that never change: no unknown keys, no values of another type.

    A whole number passes as a float; nothing else is turned into another type, so that the
    text ``"False"`` is not true, and 1.5 is not 1.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


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
        found = reason.errors(include_url=False)[0]
        known = _keys(model, found["loc"][:-1])
        prefix = f"{what}: " if what else ""
        raise error(prefix + _told(found, known)) from reason


def nearest(key: object, known: Collection[str], prefix: str = "") -> str:
    """Give a hint at the known key that is most like an unknown one, or nothing."""
    near = difflib.get_close_matches(str(key), known, n=1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def _told(found: Any, known: Collection[str]) -> str:
    """Say one finding of pydantic: the key, the value, and what it must be."""
    key = ".".join(str(part) for part in found["loc"])
    kind, value = found["type"], found["input"]
    if kind == "extra_forbidden":
        hint = nearest(found["loc"][-1], known) or f"; there are {', '.join(sorted(known))}"
        return f"unknown key {key!r}{hint}"
    if kind == "missing":
        return f"{key} is missing"
    if kind in EXPECTED:
        return f"{key} is {value!r}; it must be {EXPECTED[kind].format(**found.get('ctx', {}))}"
    # Validators of our own say it all; their messages stand behind pydantic's prefix.
    reason = str(found["msg"]).removeprefix("Value error, ")
    return f"{key} is {value!r}; {reason}" if key else reason


def _keys(model: type[BaseModel], path: tuple[int | str, ...]) -> Collection[str]:
    """Give the keys that a model has at a place inside it."""
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        inner = annotation if isinstance(annotation, type) else None
        if inner is None or not issubclass(inner, BaseModel):
            return ()
        model = inner
    return tuple(model.model_fields)

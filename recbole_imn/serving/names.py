"""Raw ids of a shop and the numbers that stand for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from recbole_imn.errors import ServingError
from recbole_imn.validation import shown

LONGEST = 1000
# What every list has of its own, beside attributes of items.
OWN_COLUMNS = ("user", "rank", "item", "score")


def raw_id(value: Any, what: str) -> str:
    """Give a raw id as text, as it stands in atomic files.

    Raises
    ------
    ServingError
        If it is empty, no text and no whole number, or could not stand in a file.
    """
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ServingError(f"{what} is {shown(value)}; an id is text or a whole number")
    text = str(value)
    if not text or len(text) > LONGEST or any(ord(letter) < 32 for letter in text):
        raise ServingError(
            f"{what} is {text[:40]!r}; an id has 1 to {LONGEST} characters, none of them a control "
            "character"
        )
    return text


def raw_ids(values: Any, what: str) -> list[str]:
    """Give several raw ids as text.

    Parameters
    ----------
    values : iterable of str or int
    what : str
        One of them.

    Raises
    ------
    ServingError
        If they are no list of ids; a text is none, whose letters are not meant.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ServingError(f"{shown(values)} is no list; give each {what} in a list, also one")
    return [raw_id(value, what) for value in values]


def first_twice(names: Sequence[str]) -> str | None:
    """Give the first of names that is there more than once, if there is one."""
    counts = Counter(names)
    return next((name for name in names if counts[name] > 1), None)


def require_attributes(names: Iterable[str], read: Collection[str] = ()) -> None:
    """Refuse attributes of items that go by the name of a column that every list has.

    Parameters
    ----------
    names : iterable of str
    read : collection of str
        Attributes that the model reads, which must be told whatever they are called.

    Raises
    ------
    ServingError
    """
    for name in names:
        if name in OWN_COLUMNS and (name == "item" or name not in read):
            raise ServingError(
                f"the attribute {name!r} cannot be told: lists have a column of that name; call it "
                "otherwise in the table of items"
            )


class Names:
    """Raw ids in the order of their numbers; number 0 is padding.

    Parameters
    ----------
    names : sequence of str
        Of the numbers from 1.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names: list[str] = ["", *names]
        self._ids = {name: number for number, name in enumerate(self._names) if number}
        if len(self._ids) != len(names):
            raise ValueError("two numbers have the same name")

    def __len__(self) -> int:
        """Return how many numbers have a name, padding included."""
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        """Say whether a raw id is known."""
        return name in self._ids

    def __iter__(self) -> Any:
        """Give the raw ids in order."""
        return iter(self._names[1:])

    def name(self, number: int) -> str:
        """Give the raw id of a number."""
        return self._names[number]

    def get(self, name: str) -> int | None:
        """Give the number of a raw id; None if there is none."""
        return self._ids.get(name)

    def add(self, names: Iterable[str]) -> list[int]:
        """Give the numbers of raw ids; new ones get the next numbers, in order."""
        return [self._number(name) for name in names]

    def _number(self, name: str) -> int:
        number = self._ids.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
        return number

    def rename(self, name: str, other: str) -> None:
        """Let a number have another name."""
        if other in self._ids:
            raise ServingError(f"the name {other!r} is taken")
        number = self._ids.pop(name)
        self._names[number], self._ids[other] = other, number

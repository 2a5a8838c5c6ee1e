"""Errors of serving, for people."""

from __future__ import annotations


class ServingError(ValueError):
    """A request that cannot be answered, or events that cannot be taken; one line for people."""


class UnknownItemError(ServingError):
    """An item that nobody has told of.

    Attributes
    ----------
    item : str
    """

    def __init__(self, item: str, hint: str = "add_items makes it known") -> None:
        super().__init__(f"item {item!r} is not known; {hint}")
        self.item = item


class UnknownUserError(ServingError):
    """A user of whom nothing is known, where something must be.

    Attributes
    ----------
    user : str
    """

    def __init__(self, user: str) -> None:
        super().__init__(f"user {user!r} is not known: no event of theirs was observed")
        self.user = user

"""Errors for people: each message is one line that says what was wrong, where, and what to do."""

from __future__ import annotations


def one_line(error: object) -> str:
    """Give a message, of an error or of anybody, as one line."""
    return " ".join(str(error).split())


def named_line(error: Exception) -> str:
    """Give an error of anybody as one line: what it is called, and its message."""
    return one_line(f"{type(error).__name__}: {error}")


class MissingRecBoleError(ImportError):
    """RecBole is not installed; the line says what to type."""


class RecBoleImnError(ValueError):
    """What people can mend. Commands print the line; programs can catch all of these as one."""


class UsageError(RecBoleImnError):
    """Options that make no sense."""


class SettingsError(RecBoleImnError):
    """A setting with a value that it cannot have."""


class UnknownModelError(RecBoleImnError):
    """A model that nobody knows, with the nearest names, or that lacks a package."""


class RegistrationError(RecBoleImnError):
    """A class that cannot be a model under its name."""


class DataError(RecBoleImnError):
    """Input data that cannot be used."""


class LogError(RecBoleImnError):
    """Events that cannot be part of a log."""


class CheckpointError(RecBoleImnError):
    """A checkpoint that cannot be used."""


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint that would need code to be executed, on reading or after saving."""


class DivergenceError(RecBoleImnError):
    """Training that has blown up."""


class StoppedError(RecBoleImnError):
    """The system refused something to a run, which has left what it can go on from."""


class DifferentWeightsError(RecBoleImnError):
    """Processes that have come to other weights than one another."""


class CounterfactualError(RecBoleImnError):
    """A question about another past that cannot be answered."""


class ServingError(RecBoleImnError):
    """A request that cannot be answered, or events that cannot be taken."""


class JournalError(ServingError):
    """A journal that takes nothing now: a full disk, a server that cannot be reached."""


class OtherJournalError(ServingError):
    """States are of another journal, or of records that a journal has lost."""


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

"""Whom lists are for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recbole_imn.errors import ServingError
from recbole_imn.serving import Recommender
from recbole_imn.serving.names import raw_id


def read_users(file: Path) -> list[str]:
    """Read raw ids, one a line; empty lines are passed over.

    Raises
    ------
    ServingError
        If there is none, one comes twice, or the file is no text.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ServingError(f"{file} is no UTF-8 text ({error.reason}); convert it") from error
    places: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        user = raw_id(line.strip(), f"{file}, line {number}: the user")
        first = places.setdefault(user, number)
        if first != number:
            raise ServingError(
                f"{file} names user {user!r} twice, in lines {first} and {number}; leave one out"
            )
    if not places:
        raise ServingError(f"{file} names no user; write one id a line")
    return list(places)


def unknown_users(recommender: Recommender, users: Sequence[str], source: str) -> tuple[str, ...]:
    """Say how many users nobody knows, if there are some."""
    known = recommender.market.users
    n_unknown = sum(user not in known for user in users)
    if not n_unknown:
        return ()
    return (
        f"{n_unknown:,} of {len(users):,} users of {source} are not known; each of them gets the "
        "list of a new user",
    )

"""Finding ids by how they begin."""

from __future__ import annotations

from collections.abc import Iterable

from recbole_imn.serving.http.answers import Names


def page(names: Iterable[str], prefix: str, limit: int, offset: int) -> Names:
    """Give some of the names that begin with a prefix.

    Parameters
    ----------
    names : iterable of str
        All names.
    prefix : str
    limit : int
        Names at most.
    offset : int
        Names before those.
    """
    found = sorted(name for name in names if name.startswith(prefix))
    end = min(offset + limit, len(found))
    return Names(
        names=found[offset:end],
        total=len(found),
        next=end if end < len(found) else None,
    )

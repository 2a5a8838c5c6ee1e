"""What the scores of the present are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.errors import LogError
from recbole_imn.log import Integers
from recbole_imn.model.explaining import ScoreParts, parts_of_scores
from recbole_imn.session.scoring import Query
from recbole_imn.session.session import Session


def score_parts(session: Session, query: Query, items: npt.ArrayLike) -> ScoreParts:
    """Take apart what :meth:`~recbole_imn.session.Session.scores` gives for some items.

    Like scores, parts are of one moment: of the log as it is now.

    Parameters
    ----------
    session : Session
    query : Query
        Of this session.
    items : int64 [n, k]
        Items of each user, in the order in which users were asked for.

    Returns
    -------
    ScoreParts
        Rows in the same order. A row's parts do not depend on the other rows.

    Raises
    ------
    LogError
        If an item is outside the space of ids.
    ValueError
        If there are other numbers of rows.
    """
    chosen = np.asarray(items, np.int64)
    facts = query.ranked.facts
    if chosen.ndim != 2 or len(chosen) != len(facts):
        raise ValueError(
            f"items have shape {list(chosen.shape)}, not one row for each of the {len(facts)} users"
        )
    users, at = facts.user[query.order], facts.at[query.order]
    while True:
        with session.lock.reading():
            if session.is_fresh:
                _check_items(chosen, session.past.log.n_items)
                return _parts(session, users, at, chosen)
        session.query(users, at)


def _parts(
    session: Session, users: Integers, at: npt.NDArray[np.float64], items: Integers
) -> ScoreParts:
    past, position = session.past, session.position
    last = past.log.time[-1] if len(past.log) else -np.inf
    facts = past.look(users, np.maximum(at, last))
    window = session.look(position, position, facts)
    return parts_of_scores(session.network, past, window, items)


def _check_items(items: Integers, n_items: int) -> None:
    outside = items[(items < 0) | (items >= n_items)]
    if len(outside):
        raise LogError(f"item {outside[0]} is asked for, outside 0..{n_items - 1}")

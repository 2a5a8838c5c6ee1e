"""New weights for a market: learned from its new events, judged by the last of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole_imn.errors import DataError
from recbole_imn.log import Floats
from recbole_imn.serving.market import Market
from recbole_imn.serving.recommender import Recommender
from recbole_imn.serving.updating.growing import grown_network
from recbole_imn.serving.updating.judging import (
    Judgement,
    judge,
    ranks_of_history,
    ranks_of_session,
    rows_between,
)
from recbole_imn.serving.updating.training import Training, same_states
from recbole_imn.serving.updating.wishes import Wishes
from recbole_imn.session import Session


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from.

    Attributes
    ----------
    config : mapping
        Settings of the checkpoint.
    n_before : int
        Events of the log before the update.
    memories : list or None
        States after them, by the old weights.
    state_file : Path
        Where finished epochs are kept.
    identity : str
        16 hexadecimal digits that name the update.
    """

    config: Mapping[str, Any]
    n_before: int
    memories: list[Any] | None
    state_file: Path
    identity: str


@dataclass(frozen=True)
class Learned:
    """What came of training.

    Attributes
    ----------
    start, stop, end : int
        Events that were learned from, and those behind them that judged.
    losses : list of float
        Mean loss of an event, an epoch.
    judgement : Judgement
    kept : str
        ``new`` or ``old``.
    """

    start: int
    stop: int
    end: int
    losses: list[float]
    judgement: Judgement
    kept: str


def learn(recommender: Recommender, lesson: Lesson, wishes: Wishes) -> Learned:
    """Train on the new events but the last, judge by these, and let the better weights stay.

    Parameters
    ----------
    recommender : Recommender
        That has observed the new events; its weights are new ones afterwards if these stay.
    lesson : Lesson
    wishes : Wishes

    Raises
    ------
    DataError
        If there are too few new events.
    """
    market = recommender.market
    end = len(market.session.past.log)
    stop = end - max(1, round(wishes.validation * (end - lesson.n_before)))
    start = lesson.n_before if wishes.since == "new" else market.snapshot.n_training
    if stop <= start:
        raise DataError(
            f"{end - lesson.n_before} new events are too few to learn from and to judge by; "
            "leave out --train, or give more"
        )
    session = _session(market, lesson, stop)
    rows = rows_between(session.past, stop, end)
    if len(rows) == 0:
        raise DataError(
            f"none of the last {end - stop:,} events is of a user with an earlier one, so that "
            "nothing can judge; give a larger --validation"
        )
    initial = _initial(lesson) if start == lesson.n_before else None
    before = _ranks(session, market, rows, "old weights", wishes)
    training = Training(session, lesson.config, start, stop, lesson.state_file, lesson.identity)
    training.run(wishes.epochs, initial, wishes.progress)
    after = _ranks(session, market, rows, "new weights", wishes)
    n_items = len(market.items)
    history = ranks_of_history(session.past, stop, rows, n_items, wishes.progress)
    judgement = judge(session.past, rows, before, after, history)
    kept = _kept(judgement, wishes)
    if kept == "new":
        _install(market, session, stop)
    return Learned(start, stop, end, training.losses, judgement, kept)


def _session(market: Market, lesson: Lesson, n_training: int) -> Session:
    """Make a session whose ids up to a position can learn, with the weights as they were."""
    network = grown_network(lesson.config, market, n_training)
    past, seed = market.session.past.beginning(), int(lesson.config.get("seed") or 0)
    session = Session(network, past, n_training, seed)
    initial = _initial(lesson)
    if initial is not None:
        same_states(session, initial)
    return session


def _initial(lesson: Lesson) -> dict[str, Any] | None:
    """Give the states before the new events, by the old weights."""
    if lesson.memories is None:
        return None
    return {"position": lesson.n_before, "passes": 0, "memories": lesson.memories}


def _ranks(session: Session, market: Market, rows: Any, what: str, wishes: Wishes) -> Floats:
    return ranks_of_session(session, rows, len(market.items), what, wishes.progress)


def _kept(judgement: Judgement, wishes: Wishes) -> str:
    if wishes.keep != "better":
        return wishes.keep
    return "new" if judgement.is_not_worse else "old"


def _install(market: Market, session: Session, n_training: int) -> None:
    """Let a market have another session, on the same log, with states at its end."""
    log = market.session.past.log
    market.snapshot.n_fitted = market.snapshot.fitted
    market.snapshot.n_training = n_training
    market.snapshot.bounds = (0, n_training, len(log), len(log))
    session.seek(len(log))
    session.past.move_to(len(log))
    # From here on weights stay, and nobody need look whether they do.
    session.frozen = True
    session.same_weights()
    market.session = session

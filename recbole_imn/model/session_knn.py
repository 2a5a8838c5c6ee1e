"""Session-based nearest neighbours: what sessions like the user's current one went on to."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_imn.errors import SettingsError
from recbole_imn.kernels.in_parallel import threads_for
from recbole_imn.kernels.session_knn import Scores, score_rows
from recbole_imn.kernels.session_knn_state import Rules, Walks
from recbole_imn.log import Floats
from recbole_imn.model.recency import RecentHistory
from recbole_imn.model.rows import event_indices
from recbole_imn.past import Past
from recbole_imn.past.sessions import SessionIndex
from recbole_imn.units import DAY
from recbole_imn.validation import Strict, told

MINUTE = 60.0
Decay = Literal["same", "linear", "div", "log", "quadratic"]
ItemDecay = Literal["same", "linear", "div", "log", "quadratic", "exponential"]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[int, Field(gt=0, le=2**24)]


def item_weights(decay: str, n_current: int, scale: float = 1.0) -> Floats:
    """Give weights of current items, float64 [n_current + 1, n_current].

    Entry [n, r] is the weight of the r-th newest (from 0) of n items; 1 for the newest one.

    Parameters
    ----------
    decay : str
        ``same``, ``linear`` (a tenth less each, at least 0), ``div``, ``log``, ``quadratic`` or
        ``exponential``.
    n_current : int
    scale : float
        Items in which ``exponential`` falls to 1 / e.
    """
    older = np.arange(n_current, dtype=np.float64)
    left = 1 - older / np.maximum(np.arange(n_current + 1.0), 1)[:, None]
    shapes = {
        "same": np.ones_like(left),
        "linear": np.broadcast_to(np.maximum(1 - 0.1 * older, 0), left.shape),
        "div": left,
        "log": np.broadcast_to(np.log10(1.7) / np.log10(older + 1.7), left.shape),
        "quadratic": left**2,
        "exponential": np.broadcast_to(np.exp(-older / scale), left.shape),
    }
    return np.ascontiguousarray(
        np.where(older < np.arange(n_current + 1)[:, None], shapes[decay], 0)
    )


def session_decay(decay: str, n_current: int) -> Floats:
    """Give factors of sessions by the newest current item in them, float64 [n_current].

    Parameters
    ----------
    decay : str
        ``same``, ``linear``, ``div`` (1, 1/2, 1/3, ...), ``log`` or ``quadratic`` (1, 1/4, ...).
    n_current : int
    """
    step = np.arange(1.0, n_current + 1)
    shapes = {
        "same": np.ones(n_current),
        "linear": np.maximum(1 - 0.1 * step, 0),
        "div": 1 / step,
        "log": 1 / np.log10(step + 1.7),
        "quadratic": 1 / step**2,
    }
    return shapes[decay]


@told(SettingsError)
@dataclass(config=Strict.model_config)
class NeighbourSettings:
    """Options of :class:`SessionKNN`.

    Attributes
    ----------
    session_minutes : float
        A longer break ends a session.
    current_items : int
        The user's newest distinct items that other sessions are compared with, at most.
    extended_to : int
        With fewer current items, the user's earlier sessions add theirs; 0: they never do.
    sampled_sessions, neighbours : int
        Sessions that are looked at, the most recent ones first, and how many of them score.
    item_decay, session_decay : str
        How the weight of current items falls with their age, and that of a session with the age
        of the newest current item in it: 'same', 'linear', 'div', 'log' or 'quadratic'.
        That of items may be 'exponential' too.
    item_scale : float
        Items in which the weight 'exponential' falls to 1 / e.
    similarity : str
        'dot': the weights of shared items; 'cosine': those over the root of the product of both
        sessions' numbers of items.
    fading_days : float
        Days in which a session's similarity falls to 1 / e, since its latest event; 0: never.
    reach : float
        Events in which the votes of a session fall to 1 / e, to both sides of where it had the
        newest current item that it shares; 0: never.
    idf_weight : float
        A score grows by so many times the logarithm of training sessions by those with the item.
    reminder_weight : float
        Of the user's own items, where 1 is what an item of all neighbours has.
    reminder_decay : str
        What part of it the r-th newest gets: 1 / r with 'div'. That of the newest is 1 with
        'div', 'quadratic' and 'same', 0.9 with 'linear' and 2.3 with 'log', as in [1]_.
    recent_events : int
        The user's latest events whose items are added so.

    Raises
    ------
    SettingsError
        With the option, its value and what it may be.
    """

    session_minutes: Annotated[float, Field(gt=0)]
    current_items: Annotated[int, Field(gt=0, le=1024)]
    extended_to: Annotated[int, Field(ge=0)]
    sampled_sessions: Positive
    neighbours: Positive
    item_decay: ItemDecay
    item_scale: Annotated[float, Field(gt=0)]
    session_decay: Decay
    similarity: Literal["dot", "cosine"]
    fading_days: NotNegative
    reach: NotNegative
    idf_weight: NotNegative
    reminder_weight: NotNegative
    reminder_decay: Decay
    recent_events: Annotated[int, Field(ge=0)]


class SessionKNN(RecentHistory):
    r"""Vector-multiplication session kNN with reminders; nothing is learned.

    V-SkNN of [1]_ on a stream: the user's newest items :math:`i_1, i_2, ...` are compared with
    the sessions of all users that met one of them last, and sessions vote for their items.

    .. math::
        sim(s) = \sum_{r : i_r \in s} w_r, \quad
        score(x) = \frac{\sum_{s \ni x} sim(s)\, d(s)}{\sum_s sim(s)\, d(s)}
        (1 + \lambda\, idf(x)) + \frac{\rho}{r(x)}

    over the most similar sessions s, with weights w that fall with age and d(s) by the newest
    current item in s. The last term reminds of the user's own items, r(x)-th newest, as the
    reminders of [2]_ do. Sessions go as far as they did at the row's position: those that went
    on meanwhile are cut there.

    STAN [3]_ is among the settings: similarity 'cosine', item decay 'exponential' with
    ``item_scale`` (its :math:`\lambda_1`), ``fading_days`` (:math:`\lambda_2`), ``reach``
    (:math:`\lambda_3`), and session decay 'same'.

    Where a row begins a session, or its session has few items so far, the user's earlier
    sessions give theirs.

    Items with a score have 1 to 2 by its order, others less than 1 by their number of training
    events, which breaks ties as well.

    Parameters
    ----------
    config : recbole.config.Config
        The options of :class:`NeighbourSettings`.
    dataset : IMNNetDataset

    References
    ----------
    .. [1] M. Ludewig and D. Jannach, "Evaluation of session-based recommendation algorithms",
       User Modeling and User-Adapted Interaction 28, 2018.
    .. [2] S. Latifi, N. Mauro and D. Jannach, "Session-aware recommendation: a surprising quest
       for the state-of-the-art", Information Sciences 573, 2021.
    .. [3] D. Garg et al., "Sequence and time aware neighborhood for session-based
       recommendations: STAN", SIGIR 2019.
    """

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        names = [field.name for field in fields(NeighbourSettings)]
        self.settings = NeighbourSettings(**{name: config[name] for name in names})
        self.index = self._new_index()
        rarity = self._rarity(dataset.event_bounds[1])
        self.rules = make_rules(self.settings, rarity, self.popularity.numpy())

    def _new_index(self) -> SessionIndex:
        return SessionIndex(self.past, self.settings.session_minutes * MINUTE)

    def _rarity(self, n_training: int) -> Floats:
        """Give factors of scores by the training sessions that have an item, [n_items]."""
        first, items = self.index.sessions.first[:n_training], self.past.log.item[:n_training]
        pairs = np.unique(np.stack([first, items]), axis=1)
        counts = np.bincount(pairs[1], minlength=self.n_items)
        n_sessions = max(len(np.unique(first)), 1)
        return 1 + self.settings.idf_weight * np.log(n_sessions / np.maximum(counts, 1))

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the whole catalogue for each row, float32 [n, n_items]."""
        events = event_indices(interaction)
        if self.index.past is not self.past:
            self.index = self._new_index()
        self.index.extend()
        scores = np.repeat(self.popularity.cpu().numpy()[None], len(events), axis=0)
        walks = walks_of(self.past, self.index)
        score_rows(threads_for(len(events)), events.astype(np.int64), walks, self.rules, scores)
        return torch.from_numpy(scores).to(self.popularity.device)


def make_rules(settings: NeighbourSettings, rarity: Floats, popularity: Scores) -> Rules:
    """Give the settings as compiled loops take them.

    Parameters
    ----------
    settings : NeighbourSettings
    rarity : float64 [n_items]
        Factors of scores.
    popularity : float32 [n_items]
        Larger for more popular items, without ties.
    """
    n_current = settings.current_items
    places = np.empty(len(popularity), np.int64)
    places[np.argsort(-popularity, kind="stable")] = np.arange(len(popularity))
    return Rules(
        settings.session_minutes * MINUTE,
        settings.extended_to,
        settings.sampled_sessions,
        settings.neighbours,
        settings.reminder_weight * session_decay(settings.reminder_decay, settings.recent_events),
        item_weights(settings.item_decay, n_current, settings.item_scale),
        session_decay(settings.session_decay, n_current),
        rarity,
        places,
        settings.similarity == "cosine",
        settings.fading_days * DAY,
        settings.reach,
    )


def walks_of(past: Past, index: SessionIndex) -> Walks:
    """Give the ways through a past's log, without a copy."""
    log, chains = past.log, past.chains
    return Walks(log.item, log.time, chains.user, chains.item, past.items.latest, *index.sessions)

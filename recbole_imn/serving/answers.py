"""What a recommender answers: what is there, lists, explanations, scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd

from recbole_imn.serving.intake import Intake
from recbole_imn.serving.lists import Candidates, Lists, Wish
from recbole_imn.serving.market import Market
from recbole_imn.serving.names import raw_id, raw_ids
from recbole_imn.serving.times import LogClock
from recbole_imn.session.locks import ReadWriteLock

if TYPE_CHECKING:
    from recbole_imn.serving.allocation import Allocation
    from recbole_imn.serving.explanation import Explanation


class Answers:
    """The answers of a recommender, which says what is there and when.

    Attributes
    ----------
    market : Market
    clock : LogClock
    file : Path
        The checkpoint.
    lists : Lists
        Of the market; to be asked while it is standing still.
    """

    market: Market
    clock: LogClock
    file: Any
    simulated: str | None
    anchors: list[Any]
    lists: Lists
    _intake: Intake
    _lock: ReadWriteLock
    _position: int

    def _settle(self) -> None:
        raise NotImplementedError

    def moment(self, at: Any = None) -> float:
        """Give the moment that lists are made for: states cannot go back before the last event.

        Parameters
        ----------
        at : moment, optional
            As of :meth:`recommend`.

        Returns
        -------
        float
            Seconds of the log.

        Raises
        ------
        ServingError
            If that is no moment, or centuries away, as milliseconds taken for seconds are.
        """
        raise NotImplementedError

    @contextmanager
    def standing_still(self, at: Any = None) -> Iterator[float]:
        """Let nothing be written for a while, once all that waits is applied.

        Parameters
        ----------
        at : moment, optional
            As of :meth:`recommend`.

        Yields
        ------
        float
            The moment that lists are made for, as :meth:`moment` gives it.
        """
        self._settle()
        with self._lock.reading():
            yield self.moment(at)

    # -- what there is ---------------------------------------------------------------------------

    @property
    def is_simulated(self) -> bool:
        """Whether the model has learned from simulated data."""
        return self.simulated is not None

    @property
    def position(self) -> int:
        """Events that have been observed."""
        return self._position

    @property
    def last_time(self) -> float:
        """Seconds of the log at the last event that was observed."""
        return self._intake.last

    @property
    def users(self) -> list[str]:
        """Raw ids of users, in the order in which they came."""
        self._settle()
        return list(self.market.users)

    @property
    def items(self) -> list[str]:
        """Raw ids of items, in the order in which they came."""
        self._settle()
        return list(self.market.items)

    @property
    def behaviors(self) -> list[str]:
        """Kinds of action that events may have."""
        return self.market.snapshot.behaviours[1:]

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is known of items, by name."""
        self._settle()
        return self.market.snapshot.attributes.names

    # -- reading -----------------------------------------------------------------------------

    def recommend(
        self,
        user: Any,
        at: Any = None,
        k: int = 10,
        candidates: Candidates = None,
        exclude: Sequence[str] | str = (),
        diversify: float = 0.0,
        attributes: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Rank items for a user.

        Parameters
        ----------
        user : str or int
            A raw id; one that is not known is a new user.
        at : moment, optional
            As of :meth:`~recbole_imn.serving.times.LogClock.seconds`, or 'now' for the present
            by the machine's clock. By default the time of the last event, before which nobody
            can be asked.
        k : int
            Length of the list.
        candidates : {'on_shelf'} or sequence of str, optional
            What is for sale at that time, or some items; the whole catalogue by default.
        exclude : sequence of str, or {'seen', 'purchased'}
            Items to be left out, or those that the user had events with, or purchased.
        diversify : float
            0 to 1: how much a list's items shall differ.
        attributes : sequence of str
            What is to be told of each item, such as its title.

        Returns
        -------
        DataFrame
            ``rank`` from 1, ``item``, ``score``, and the attributes. Scores of a row compare
            items for one user; they are log densities up to a constant.

        Raises
        ------
        ServingError
            If something that is asked for does not exist.
        """
        name = raw_id(user, "user")
        wish = Wish(k, candidates, exclude, diversify, attributes)
        with self.standing_still(at) as moment:
            return self.lists.recommend_one(name, moment, wish)

    def recommend_many(
        self,
        users: Iterable[Any],
        at: Any = None,
        k: int = 10,
        candidates: Candidates = None,
        exclude: Sequence[str] | str = (),
        diversify: float = 0.0,
        attributes: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Rank items for many users at one moment.

        Parameters and errors as of :meth:`recommend`.

        Returns
        -------
        DataFrame
            ``user``, ``rank``, ``item``, ``score``, and the attributes.
        """
        names = raw_ids(users, "user")
        wish = Wish(k, candidates, exclude, diversify, attributes)
        with self.standing_still(at) as moment:
            return self.lists.recommend(names, moment, wish)

    def similar(
        self,
        item: Any,
        k: int = 10,
        candidates: Candidates = None,
        attributes: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Rank items by how like they are to another, in what the model knows of them now.

        Parameters
        ----------
        item : str or int
        k, candidates, attributes
            As of :meth:`recommend`, at the time of the last event.

        Returns
        -------
        DataFrame
            ``rank``, ``item``, ``score`` (cosine of states and embeddings), and the attributes.

        Raises
        ------
        UnknownItemError
        """
        name, wish = raw_id(item, "item"), Wish(k, candidates, attributes=attributes)
        with self.standing_still() as moment:
            return self.lists.similar(name, moment, wish)

    def explain(
        self,
        user: Any,
        item: Any,
        at: Any = None,
        purchases: int = 1,
        candidates: Candidates = None,
    ) -> Explanation:
        """Say what an item's score for a user is made of.

        Parameters
        ----------
        user, item, at, candidates
            As of :meth:`recommend`; the item's rank is that among the candidates.
        purchases : int
            How many of the user's last purchases are thought away, to see what they changed.

        Raises
        ------
        UnknownItemError
        """
        from recbole_imn.serving.explanation import explain

        return explain(self, user, item, at, purchases, candidates, self.anchors)

    def allocate(
        self, users: Iterable[Any], capacity: Any = 1, k: int = 10, **how: Any
    ) -> Allocation:
        """Make lists for many users in which no item stands more often than there is stock.

        Parameters
        ----------
        users : iterable of str or int
        capacity : int, or mapping of item to int
            How many lists an item may be on.
        k : int
            Length of a list.
        **how
            As of :func:`~recbole_imn.serving.allocation.lists.allocate_lists`.
        """
        from recbole_imn.serving.allocation.lists import allocate_lists

        return allocate_lists(self, users, capacity, k, **how)

    def scores(self, users: Sequence[Any], at: Any = None, candidates: Candidates = None) -> Any:
        """Give the scores behind the lists.

        Parameters
        ----------
        users : sequence of str or int
        at, candidates
            As of :meth:`recommend`.

        Returns
        -------
        items : list of str
            Of the columns.
        scores : float32 [n_users, n_items]
        """
        names = raw_ids(users, "user")
        with self.standing_still(at) as moment:
            items = self.lists.candidates(candidates, moment)
            scores = self.lists.scores(names, moment, items)
            return [self.market.items.name(int(item)) for item in items], scores.cpu().numpy()

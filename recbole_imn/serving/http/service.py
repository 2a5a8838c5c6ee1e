"""What the routes of one app share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recbole_imn.serving.http.answers import EventsAnswer
from recbole_imn.serving.http.idempotency import KeptAnswers
from recbole_imn.serving.http.metrics import Metrics
from recbole_imn.serving.http.problems import ReplicaError
from recbole_imn.serving.http.served import Served
from recbole_imn.serving.http.settings import HttpSettings


@dataclass
class Service:
    """The recommender's place, the settings, the figures and the answers given so far."""

    served: Served
    settings: HttpSettings
    metrics: Metrics = field(init=False)
    answers: KeptAnswers[EventsAnswer] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no figures and no answers."""
        self.metrics = Metrics(self.served)
        self.answers = KeptAnswers(self.settings.answers)

    def reader(self) -> Any:
        """Give the recommender.

        Raises
        ------
        NotReadyError
            While it is being loaded.
        """
        return self.served.get()

    def writer(self) -> Any:
        """Give the recommender to write to.

        Raises
        ------
        ReplicaError
            If this is a replica.
        NotReadyError
            While it is being loaded.
        """
        if self.settings.read_only:
            raise ReplicaError
        return self.served.get()

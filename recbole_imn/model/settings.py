"""Options of the network, checked once and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


class SettingsError(ValueError):
    """An option with a value that it cannot have; the message is one line for people."""


@dataclass(frozen=True)
class NetworkSettings:
    """Options of :class:`~recbole_imn.model.network.InterestBehaviourNetwork`.

    Attributes
    ----------
    embedding_size : int
        Width d of states and of static embeddings.
    mse_weight, nce_weight : float
        lambda_m and lambda_n of equation (22). A part with weight 0 is not computed.
    user_drift_weight, item_drift_weight : float
        lambda_U and lambda_I of equation (22), on the squared change of a state.
    ranking_mse_weight, ranking_nce_weight : float
        alpha_m and alpha_n of equations (23)-(24), until a search finds better ones.
    search_ranking_weights : bool
        Whether validation searches for alpha_m and alpha_n. Nothing is searched where
        mse_weight or nce_weight is 0, since only one part has learned.
    ranking_scale : str
        In what units the search weighs the two parts. 'standard': standard deviations over
        the candidates of validation rows. 'literal': the paper's raw sum.
    n_negatives : int
        N - 1 of equation (19): negatives an event, shared by the events of a window.
    temperature : float
        Start of the learnable temperature of the density ratio.
    cell : str
        'sigmoid' (the paper), 'tanh' (JODIE), 'gru' or 'lstm'.
    resource_branch : str
        'simplified' (equation 6), 'full' (3-5) or 'none' (IMN-Net*).
    fusion : str
        How the two user states become one, f of (11): 'sum', 'concat', 'product', or
        beyond the paper 'gate', a learnable mean.
    static_geometry : str
        'unit': static embeddings have unit length. 'free': as they come.
    conditioning : str
        'unit': states are centred and have unit length where they are compared.
        'none': the paper's literal form.
    positive_state : str
        'before': the item as it was just before the event, like the negatives.
        'after': the paper's literal (16), in which only the positive has seen the event.
    context_start : str
        'identity': predictions start as a copy of the previous item. 'random': as usual.
    elapsed_scale : str
        'log' or 'linear' elapsed times, standardised on the training events.
    first_events : bool
        Whether users' first events, which have no previous item, are learned from too.
    pointer : bool
        Beyond the paper: candidates from the user's own past in the density ratio.
    pointer_neighbours : int
        How many successors and predecessors of the user's latest items are candidates too.
    freshness : bool
        Beyond the paper: a part of the density ratio that sees when an item was last seen.
    static_features : bool
        Beyond the paper: item features in static embeddings, for items without a past.
    n_active_negatives : int
        Beyond the paper: further negatives, from the items that were touched lately.
    taste : bool
        Beyond the paper: a part of the density ratio that is linear in item features.
    """

    embedding_size: int = 128
    mse_weight: float = 1.0
    nce_weight: float = 1.0
    user_drift_weight: float = 0.0
    item_drift_weight: float = 0.0
    ranking_mse_weight: float = 0.5
    ranking_nce_weight: float = 0.5
    search_ranking_weights: bool = True
    ranking_scale: str = "standard"
    n_negatives: int = 127
    temperature: float = 0.1
    cell: str = "sigmoid"
    resource_branch: str = "simplified"
    fusion: str = "sum"
    static_geometry: str = "unit"
    conditioning: str = "unit"
    positive_state: str = "before"
    context_start: str = "identity"
    elapsed_scale: str = "log"
    first_events: bool = False
    pointer: bool = False
    pointer_neighbours: int = 10
    freshness: bool = False
    static_features: bool = False
    n_active_negatives: int = 0
    taste: bool = False

    def __post_init__(self) -> None:
        """Check every option.

        Raises
        ------
        SettingsError
            With the option, its value and what it may be.
        """
        for name, allowed in _CHOICES.items():
            _check(name, getattr(self, name), getattr(self, name) in allowed, f"one of {allowed}")
        for name in _POSITIVE:
            _check(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in _NOT_NEGATIVE:
            _check(name, getattr(self, name), getattr(self, name) >= 0, "0 or above")
        if self.mse_weight == self.nce_weight == 0:
            raise SettingsError("mse_weight and nce_weight are both 0: there is nothing to learn")
        if self.searches_ranking and (self.pointer or self.freshness):
            raise SettingsError(
                "search_ranking_weights is True, but with pointer or freshness a ranking is no "
                "weighted sum of two parts; set it to False"
            )

    @property
    def searches_ranking(self) -> bool:
        """Whether alpha_m and alpha_n are searched for on validation."""
        return self.search_ranking_weights and min(self.mse_weight, self.nce_weight) > 0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> NetworkSettings:
        """Take the options out of a larger configuration; what is missing keeps its default."""
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        return cls(**known)


_CHOICES = {
    "cell": ("sigmoid", "tanh", "gru", "lstm"),
    "resource_branch": ("simplified", "full", "none"),
    "fusion": ("sum", "concat", "product", "gate"),
    "static_geometry": ("unit", "free"),
    "conditioning": ("unit", "none"),
    "positive_state": ("before", "after"),
    "context_start": ("identity", "random"),
    "elapsed_scale": ("log", "linear"),
    "search_ranking_weights": (True, False),
    "ranking_scale": ("standard", "literal"),
}
_POSITIVE = ("embedding_size", "n_negatives", "temperature")
_NOT_NEGATIVE = (
    "mse_weight",
    "nce_weight",
    "user_drift_weight",
    "item_drift_weight",
    "ranking_mse_weight",
    "ranking_nce_weight",
    "pointer_neighbours",
    "n_active_negatives",
)


def _check(name: str, value: object, valid: bool, expected: str) -> None:
    if not valid:
        raise SettingsError(f"{name} is {value!r}; it must be {expected}")

"""Options of the network, checked once and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from recbole_imn.validation import Strict, told


class SettingsError(ValueError):
    """An option with a value that it cannot have; the message is one line for people."""


# Far beyond what memory holds; so that a slip is told, and not met while memory runs out.
Positive = Annotated[int, Field(gt=0, le=2**24)]
Count = Annotated[int, Field(ge=0, le=2**24)]
Weight = Annotated[float, Field(ge=0)]


def _listed(value: object) -> object:
    """Let one name stand for a list of it, and read ``[a, b]`` as the command line has it."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("[") and text.endswith("]"):
        return [name.strip() for name in text[1:-1].split(",")]
    return [value]


def _distinct(names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"it names {name} twice")
    return names


# Whether there is a part of such a name is said where parts are found (build.py).
Named = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Named], BeforeValidator(_listed), AfterValidator(_distinct)]


@told(SettingsError)
@dataclass(config=Strict.model_config)
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
    calibrate : bool
        Whether validation searches for the proportions in which ranking takes the candidates of
        sources and the catalogue.
    n_negatives : int
        N - 1 of equation (19): negatives an event, shared by the events of a window.
    temperature : float
        Start of the learnable temperature of the density ratio.
    cell : str
        'sigmoid' (the paper), 'tanh' (JODIE), 'gru' or 'lstm'.
    resource_branch : str
        'simplified' (equation 6), 'full' (3-5), 'none' (IMN-Net*) or ``module.Class``.
    purchase_reach : int
        How many purchases of a user before a window are unrolled again in training, so that
        gradients reach them; 0 is the paper's form, in which they end at the window's start.
    fusion : str
        How the two user states become one, f of (11): 'sum', 'concat', 'product', beyond
        the paper 'gate', a learnable mean, or ``module.Class``.
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
    shared_map : bool
        Beyond the paper: one map makes the prediction and, over the temperature, the rows'
        side of the density ratio.
    elapsed_scale : str
        'log' or 'linear' elapsed times, standardised on the training events.
    first_events : bool
        Whether users' first events, which have no previous item, are learned from too.
    terms : list of str
        Beyond the paper: further summands of the log density ratio. 'freshness' sees when an
        item was last seen, 'taste' is linear in item features, 'holdings' tells how items
        compete with what a user has purchased lately; or ``module.Class``.
    sources : list of str
        Beyond the paper: what proposes candidates from the past. 'own_items' are the user's
        latest ones, 'co_visited' are those that others had most beside these, 'successors' and
        'predecessors' the latest in anybody's history right after and before them; or
        ``module.Class``.
    pointer_neighbours : int
        How many successors and predecessors of each item, of the sources of these names.
    static_features : bool
        Beyond the paper: item features in static embeddings, for items without a past.
    n_active_negatives : int
        Beyond the paper: further negatives, from the items that were touched lately.
    unseen_ids : str
        What ids read that no training event has: 'random' static embeddings of their own, or
        one 'learned' embedding for all of them.
    id_dropout : float
        Share of the ids that read the learned embedding, for the length of a window; of no
        effect with random ones.

    Raises
    ------
    SettingsError
        With the option, its value and what it may be.
    """

    embedding_size: Annotated[int, Field(gt=0, le=2**16)] = 128
    mse_weight: Weight = 1.0
    nce_weight: Weight = 1.0
    user_drift_weight: Weight = 0.0
    item_drift_weight: Weight = 0.0
    ranking_mse_weight: Weight = 0.5
    ranking_nce_weight: Weight = 0.5
    search_ranking_weights: bool = True
    ranking_scale: Literal["standard", "literal"] = "standard"
    calibrate: bool = False
    n_negatives: Positive = 127
    temperature: Annotated[float, Field(gt=0)] = 0.1
    cell: Literal["sigmoid", "tanh", "gru", "lstm"] = "sigmoid"
    resource_branch: Named = "simplified"
    purchase_reach: Count = 4
    fusion: Named = "sum"
    static_geometry: Literal["unit", "free"] = "unit"
    conditioning: Literal["unit", "none"] = "unit"
    positive_state: Literal["before", "after"] = "before"
    context_start: Literal["identity", "random"] = "identity"
    elapsed_scale: Literal["log", "linear"] = "log"
    shared_map: bool = False
    first_events: bool = False
    terms: Names = field(default_factory=list)
    sources: Names = field(default_factory=list)
    pointer_neighbours: Positive = 10
    static_features: bool = False
    n_active_negatives: Count = 0
    unseen_ids: Literal["random", "learned"] = "random"
    id_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _check_together(self) -> NetworkSettings:
        """Refuse options that contradict each other."""
        if self.mse_weight == self.nce_weight == 0:
            raise ValueError("mse_weight and nce_weight are both 0: there is nothing to learn")
        if self.ranking_mse_weight == self.ranking_nce_weight == 0:
            raise ValueError(
                "ranking_mse_weight and ranking_nce_weight are both 0: nothing would be ranked"
            )
        if self.searches_ranking and (self.terms or self.sources):
            raise ValueError(
                "search_ranking_weights is True, but with terms or sources a ranking is no "
                "weighted sum of two parts; set it to False"
            )
        if self.calibrate and not self.sources:
            raise ValueError(
                "calibrate is True, but without sources there are no candidates to be set against "
                "the catalogue; set it to False, or name sources"
            )
        return self

    @property
    def searches_ranking(self) -> bool:
        """Whether alpha_m and alpha_n are searched for on validation."""
        return self.search_ranking_weights and min(self.mse_weight, self.nce_weight) > 0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> NetworkSettings:
        """Take the options out of a larger configuration; what is missing keeps its default."""
        return cls(**{name: values[name] for name in SETTINGS if name in values})


SETTINGS = tuple(field.name for field in fields(NetworkSettings))

"""Options of the network, checked once and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from recbole_imn.errors import SettingsError
from recbole_imn.validation import Strict, listed_names, told

# Far beyond what memory holds; so that a slip is told, and not met while memory runs out.
Positive = Annotated[int, Field(gt=0, le=2**24)]
Count = Annotated[int, Field(ge=0, le=2**24)]
Weight = Annotated[float, Field(ge=0)]


def _listed(value: object) -> object:
    """Let one name stand for a list of it, and read ``[a, b]`` as the command line has it."""
    return listed_names(value) or [value] if isinstance(value, str) else value


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
    """Options of :class:`~recbole_imn.model.network.Network`.

    Attributes
    ----------
    embedding_size : int
        Width d of states and of static embeddings.
    mse_weight, nce_weight : float
        lambda_m and lambda_n of equation (22). A part with weight 0 is not computed.
    user_drift_weight, item_drift_weight : float
        lambda_U and lambda_I of equation (22), on the change of a state.
    distance : str
        'squared': (20), (22) and (23) take squares of Euclidean distances. 'euclidean': the
        distances themselves, as the paper prints them.
    prediction_target : str
        What (11) predicts. 'both': state and static embedding of the next item. 'static': the
        embedding alone, as the paper prints it.
    detached_targets : bool
        Whether (20) moves predictions alone. False: items move towards their predictions too.
    ranking_mse_weight, ranking_nce_weight : float
        alpha_m and alpha_n of equations (23)-(24), until a search finds better ones; of a part
        that is not learned nothing is ranked. With terms or sources they must be 0 and 1.
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
        N - 1 of equation (19): negatives an event.
    negatives : str
        Where they come from. 'window': drawn from all items once a window. 'row': drawn from all
        other items for each event, as the paper has it. 'in_batch': the items of other events of
        the window, as many of them as there are.
    temperature : float
        Of the density ratio; where it starts, if it is learned.
    learned_temperature : bool
        Whether it is learned; in the paper there is none.
    cell : str
        'sigmoid' (the paper), 'tanh' (JODIE), 'gru', 'lstm', or 'self_attention' over an
        entity's latest inputs, of which the paper says no more than that it was tried.
    resource_branch : str
        'simplified' (equation 6), 'full' (3-5), 'none' (IMN-Net*) or ``module.Class``.
    purchase_reach : int
        How many purchases of a user before a window are unrolled again in training, so that
        gradients reach them; 0 is the paper's form, in which they end at the window's start. Of no
        effect without a branch.
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
        'after': the paper's literal (16), in which only the positive has seen the event. The
        prediction is always of the state before.
    context_start : str
        'identity': predictions start as a copy of the previous item. 'random': as usual.
    shared_map : bool
        Beyond the paper: one map makes the prediction and, over the temperature, the rows'
        side of the density ratio.
    state_precision : str
        In what the states of users and items are kept between windows. 'float32', or half the
        memory: 'float16' or 'bfloat16'; then scores depend, by rounding, on where windows end.
    elapsed_scale : str
        'log' or 'linear' elapsed times, standardised on the training events.
    elapsed_origin : str
        'mean': the mean time is 0, and a flag tells that there was no event before. 'zero': no
        time is 0, so that the projection (7)-(10) leaves a state as it is then, and no flag.
    shared_projection : bool
        Whether both user states are projected by the same W_t, as the paper has it; of no
        effect without a branch.
    event_input : str
        Which v updates of general and item states see, equations (1) and (2). 'own': that of the
        event itself. 'previous': that of the user's, and of the item's, event before it.
    biases : bool
        Whether updates and maps have bias terms; the paper has none.
    first_events : bool
        Whether users' first events, which have no previous item, are learned from too.
    attended_events : int
        Beyond the paper: how many of the user's latest events the rows' side of the density
        ratio attends to, besides the states; 0 for none.
    terms : list of str
        Beyond the paper: further summands of the log density ratio. 'freshness' sees when an
        item was last seen, 'taste' is linear in item features, 'holdings' tells how items
        compete with what a user has purchased lately; or ``module.Class``.
    sources : list of str
        Beyond the paper: what proposes candidates from the past. 'own_items' are the user's
        latest ones, 'co_visited' are those that others had most beside these,
        'first_choices' for newcomers what newcomers chose first, 'successors' and
        'predecessors' the latest in anybody's history right after and before them; or
        ``module.Class``.
    pointer_neighbours : int
        How many successors and predecessors of each item, of the sources of these names.
    static_features : bool
        Beyond the paper: item features in static embeddings, for items without a past.
    n_active_negatives : int
        Beyond the paper: further negatives, from the items that were touched lately; of no
        effect without terms and sources, which are learned against the catalogue.
    unseen_ids : str
        What ids read that no training event has: 'random' static embeddings of their own, or
        one 'learned' embedding for all of them.
    id_dropout : float
        Share of the ids that read the learned embedding where losses read them, for the length
        of a window; of no effect with random ones. The branch reads all ids as they are.

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
    distance: Literal["squared", "euclidean"] = "squared"
    prediction_target: Literal["both", "static"] = "both"
    detached_targets: bool = True
    n_negatives: Positive = 127
    negatives: Literal["window", "row", "in_batch"] = "window"
    temperature: Annotated[float, Field(gt=0)] = 0.1
    learned_temperature: bool = True
    cell: Literal["sigmoid", "tanh", "gru", "lstm", "self_attention"] = "sigmoid"
    resource_branch: Named = "simplified"
    purchase_reach: Count = 4
    fusion: Named = "sum"
    static_geometry: Literal["unit", "free"] = "unit"
    conditioning: Literal["unit", "none"] = "unit"
    positive_state: Literal["before", "after"] = "before"
    context_start: Literal["identity", "random"] = "identity"
    state_precision: Literal["float32", "float16", "bfloat16"] = "float32"
    elapsed_scale: Literal["log", "linear"] = "log"
    elapsed_origin: Literal["mean", "zero"] = "mean"
    shared_projection: bool = False
    event_input: Literal["own", "previous"] = "own"
    biases: bool = True
    shared_map: bool = False
    first_events: bool = False
    attended_events: Count = 0
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
        self._check_density()
        if self.searches_ranking and (self.terms or self.sources):
            raise ValueError(
                "search_ranking_weights is True, but with terms or sources a ranking is no "
                "weighted sum of two parts; set it to False, ranking_mse_weight to 0 and "
                "ranking_nce_weight to 1"
            )
        if (self.terms or self.sources) and self.ranking_weights != (0, 1):
            raise ValueError(
                f"ranking_mse_weight is {self.ranking_mse_weight} and ranking_nce_weight "
                f"{self.ranking_nce_weight}, but terms and sources are learned beside the density "
                "ratio alone, as it is; set them to 0 and 1"
            )
        if self.calibrate and not self.sources:
            raise ValueError(
                "calibrate is True, but without sources there are no candidates to be set against "
                "the catalogue; set it to False, or name sources"
            )
        if self.negatives != "window" and (self.terms or self.sources):
            raise ValueError(
                f"negatives is {self.negatives!r}, but with terms or sources negatives stand for "
                "the catalogue, and are drawn once a window; set it to window"
            )
        if self.shared_map and self.prediction_target == "static":
            raise ValueError(
                "shared_map is True, but prediction_target is 'static', which the density ratio "
                "does not share; set one of them back"
            )
        return self

    def _check_density(self) -> None:
        """Refuse parts of the density ratio where it is not learned, and a part that ranks so."""
        parts = {
            "attended_events": self.attended_events,
            "terms": self.terms,
            "sources": self.sources,
        }
        for name, value in parts.items():
            if value and self.nce_weight == 0:
                raise ValueError(
                    f"{name} is {value!r}, but nce_weight is 0: that is part of the density "
                    "ratio, which learns nothing; set one of them otherwise"
                )
        if self.ranking_weights == (0, 0):
            learned = "nce" if self.mse_weight == 0 else "mse"
            raise ValueError(
                f"ranking_{learned}_weight is 0, but nothing else is learned; set it to 1"
            )

    @property
    def ranking_weights(self) -> tuple[float, float]:
        """alpha_m and alpha_n; 0 for a part that is not learned."""
        predicts = self.mse_weight > 0 or self.shared_map
        return (
            self.ranking_mse_weight if predicts else 0.0,
            self.ranking_nce_weight if self.nce_weight > 0 else 0.0,
        )

    @property
    def takes_plain_squares(self) -> bool:
        """Whether the prediction's loss has the form that is computed beside the density ratio."""
        plain = self.distance == "squared" and self.prediction_target == "both"
        return plain and self.detached_targets and not self.targets_apart

    @property
    def targets_apart(self) -> bool:
        """Whether what is predicted is another state than what the density ratio compares."""
        return self.positive_state == "after" and self.prediction_target == "both"

    @property
    def searches_ranking(self) -> bool:
        """Whether alpha_m and alpha_n are searched for on validation."""
        return self.search_ranking_weights and min(self.mse_weight, self.nce_weight) > 0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> NetworkSettings:
        """Take the options out of a larger configuration; what is missing keeps its default."""
        return cls(**{name: values[name] for name in SETTINGS if name in values})


SETTINGS = tuple(field.name for field in fields(NetworkSettings))

"""Boosted trees that rank candidates by counts and recency: what a shop would build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_imn.baselines.candidates import Candidates, CandidateSources
from recbole_imn.baselines.item_fields import ItemFields
from recbole_imn.baselines.orders import places_of, rank_candidates, write_orders
from recbole_imn.baselines.trees import Trees, add_trees, check_trees, no_trees, parse_trees
from recbole_imn.errors import SettingsError
from recbole_imn.log import NO_EVENT, Integers
from recbole_imn.model.recency import RecentHistory
from recbole_imn.model.rows import event_indices
from recbole_imn.rank_metrics import RankMetric
from recbole_imn.validation import Strict, told

Positive = Annotated[int, Field(gt=0, le=2**20)]
# Rows whose candidates are made together.
CHUNK = 1_000
# Validation rows that a choice looks at, evenly spaced, and numbers of trees that it tries.
MOST_ROWS, TRIED = 4_000, 20


@told(SettingsError)
@dataclass(config=Strict.model_config)
class TreeSettings:
    """Options of :class:`LambdaRank`.

    Attributes
    ----------
    ranked_rows : int
        Training rows that trees learn from, the latest ones whose item is a candidate.
    n_trees, n_leaves : int
    boosting_rate : float
        What each tree adds.
    min_leaf_candidates : int
        Candidates of a leaf, at least.
    column_share : float
        Of the columns that a tree may look at.

    Raises
    ------
    SettingsError
        With the option, its value and what it may be.
    """

    ranked_rows: Positive
    n_trees: Annotated[int, Field(gt=0, le=10_000)]
    n_leaves: Annotated[int, Field(gt=1, le=1024)]
    boosting_rate: Annotated[float, Field(gt=0, le=1)]
    min_leaf_candidates: Positive
    column_share: Annotated[float, Field(gt=0, le=1)]


class LambdaRank(RecentHistory):
    """LightGBM's LambdaRank [1]_ of the candidates that our networks' pointers have.

    Candidates are the user's own latest items, those that others had beside them, what others
    went on to, and what is trending; trees know the numbers that the pointer knows, in which
    slot of which source an item is, how much it is trending, how the user chooses, and where items
    have features, their numbers and how far each field is from the user's latest items. They learn
    from the latest training rows whose item is a candidate, where what is told of a row comes
    from before the row. How many of the trees are used is
    chosen on at most 4,000 evenly spaced validation rows. Candidates are counted over the log up
    to each row; the trees stay as they are. Other items come below, by training events.

    Trees are kept as arrays, and evaluated in the order in which they were grown, whatever
    library is installed; only learning needs ``lightgbm``.

    Parameters
    ----------
    config : recbole.config.Config
        The options of :class:`TreeSettings`.
    dataset : IMNNetDataset

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree",
       NeurIPS 2017; C. Burges, "From RankNet to LambdaRank to LambdaMART: an overview", 2010.
    """

    chooses = True

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        names = [field.name for field in fields(TreeSettings)]
        self.settings = TreeSettings(**{name: config[name] for name in names})
        self.n_training, self.seed = dataset.event_bounds[1], config["seed"]
        self.first_events = bool(config["first_events"])
        self.places = places_of(self.popularity.numpy())
        widths = dataset.feature_maps["item_features"].widths
        seen = np.zeros(self.n_items, np.bool_)
        seen[dataset.log.item[: self.n_training]] = True
        item_fields = ItemFields(dataset.item_features.numpy(), widths, seen)
        self.sources = CandidateSources(self.n_items, item_fields)
        self._set_trees(no_trees(self.settings.n_trees, self.settings.n_leaves))
        self.register_buffer("n_used", torch.tensor(self.settings.n_trees))

    def _set_trees(self, trees: Trees) -> None:
        for name, values in trees._asdict().items():
            self.register_buffer(f"tree_{name}", torch.from_numpy(values))

    @property
    def trees(self) -> Trees:
        """The trees that were grown."""
        return Trees(*(getattr(self, f"tree_{name}").cpu().numpy() for name in Trees._fields))

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **named: Any) -> Any:
        """Take trees that lead nowhere else than to their leaves.

        Raises
        ------
        ValueError
            If they do not.
        """
        trees = Trees(*(state_dict[f"tree_{name}"].cpu().numpy() for name in Trees._fields))
        check_trees(trees, self.sources.n_columns)
        if not 0 <= int(state_dict["n_used"]) <= self.settings.n_trees:
            raise ValueError(
                f"{int(state_dict['n_used'])} of {self.settings.n_trees} trees are used"
            )
        return super().load_state_dict(state_dict, *args, **named)

    # -- learning --------------------------------------------------------------------------

    def learn(self) -> None:
        """Grow the trees from the latest training rows.

        Raises
        ------
        SettingsError
            If LightGBM is missing, or none of the rows has its item among its candidates.
        """
        try:
            import lightgbm
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"{type(self).__name__} learns with the package lightgbm, which is missing; "
                "pip install 'recbole_imn[baselines]'"
            ) from error
        columns, labels, sizes = self._lessons()
        data = lightgbm.Dataset(columns, labels, group=sizes, free_raw_data=True)
        booster = lightgbm.train(self._options(), data, self.settings.n_trees)
        text = booster.model_to_string(num_iteration=-1)
        self._set_trees(parse_trees(text, self.settings.n_trees, self.settings.n_leaves))

    def _lessons(self) -> tuple[list[Any], Integers, Integers]:
        """Give columns of candidates, which of them was the item, and how many a row has."""
        columns, labels, sizes, missing = [], [], [], self.settings.ranked_rows
        for events, found in self._candidates_of(self._training_rows(), backwards=True):
            n_found = np.diff(found.starts)
            is_target = found.items == np.repeat(self.past.log.item[events], n_found)
            has_target = np.add.reduceat(is_target.astype(np.int64), found.starts[:-1]) > 0
            # Of the earliest of these rows there may be more than are asked for.
            has_target[: _first_of_last(has_target, missing)] = False
            kept = np.repeat(has_target, n_found)
            columns.append(found.columns[kept])
            labels.append(is_target[kept])
            sizes.append(n_found[has_target])
            missing -= len(sizes[-1])
            if missing == 0:
                break
        if missing == self.settings.ranked_rows:
            raise SettingsError(
                f"{type(self).__name__} has nothing to learn from: of no training row is the item "
                "among the candidates"
            )
        some = [part for part in columns if len(part)]
        return some, np.concatenate(labels).astype(np.int64), np.concatenate(sizes)

    def _training_rows(self) -> Integers:
        rows = np.arange(self.n_training)
        if not self.first_events:
            rows = rows[self.past.chains.user[rows] != NO_EVENT]
        return rows

    def _candidates_of(
        self, rows: Integers, backwards: bool = False
    ) -> Iterator[tuple[Integers, Candidates]]:
        """Give the candidates of increasing rows, some at a time; rows without any are left out."""
        past, starts = self.past.beginning(), range(0, len(rows), CHUNK)
        for start in reversed(starts) if backwards else starts:
            events = rows[start : start + CHUNK]
            # From close by, what is the latest before a row is found soon.
            past.move_to(int(events[-1]) + 1)
            found = self.sources.of_rows(past, events)
            there = np.diff(found.starts) > 0
            begins = np.append(found.starts[:-1][there], found.starts[-1])
            yield events[there], Candidates(found.items, found.columns, begins)

    def _options(self) -> dict[str, Any]:
        options = self.settings
        return {
            "objective": "lambdarank",
            "label_gain": [0, 1],
            "learning_rate": options.boosting_rate,
            "num_leaves": options.n_leaves,
            "min_data_in_leaf": options.min_leaf_candidates,
            "feature_fraction": options.column_share,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": torch.get_num_threads(),
            "verbosity": -1,
        }

    # -- choice ----------------------------------------------------------------------------

    def choose(self, events: Integers, metric: RankMetric) -> str:
        """Choose how many trees are used; the parameters are those of the base class."""
        rows = np.sort(events)[:: -(-len(events) // MOST_ROWS)]
        shares = np.linspace(0, self.settings.n_trees, TRIED + 1)[1:]
        numbers = np.unique(np.ceil(shares).astype(np.int64))
        totals = np.zeros(len(numbers))
        for some, found in self._candidates_of(rows):
            scores, before = np.zeros(len(found.items)), 0
            for place, number in enumerate(numbers.tolist()):
                add_trees(found.columns, self.trees, before, number, scores)
                targets, ranks, before = self.past.log.item[some], np.empty(len(some)), number
                rank_candidates(targets, found.items, scores, found.starts, self.places, ranks)
                totals[place] += metric(ranks).sum()
        best = int(totals.argmax())
        self.n_used.fill_(int(numbers[best]))
        value = totals[best] / len(rows)
        return f"{numbers[best]} trees are used; {value:.4f} on {len(rows)} validation rows"

    # -- scores ----------------------------------------------------------------------------

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the whole catalogue for each row, float32 [n, n_items]."""
        events = event_indices(interaction).astype(np.int64)
        found = self.sources.of_rows(self.past, events)
        scores = np.zeros(len(found.items))
        add_trees(found.columns, self.trees, 0, int(self.n_used), scores)
        out = np.repeat(self.popularity.cpu().numpy()[None], len(events), axis=0)
        write_orders(found.items, scores, found.starts, self.places, out)
        return torch.from_numpy(out).to(self.popularity.device)


def _first_of_last(flags: npt.NDArray[np.bool_], n: int) -> int:
    """Give the place from which on there are the last ``n`` flags that are set, or fewer."""
    places = np.flatnonzero(flags)
    return int(places[-n]) if len(places) > n else 0

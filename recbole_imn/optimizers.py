"""What trains weights: a lazy optimiser for tables of ids, and any other for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from recbole_imn.averaging import WeightAverage
from recbole_imn.errors import SettingsError
from recbole_imn.kernels.dense_adam import DenseAdam
from recbole_imn.kernels.lazy_adam import LazyAdam
from recbole_imn.kernels.row_wise import RowWise
from recbole_imn.model.sources import Pointer
from recbole_imn.processes.common import (
    Place,
    in_common,
    own_rows,
    wait_for_sharers,
    zeros_in_common,
)

# Those of RecBole, by the names that the setting learner gives them.
LEARNERS: Mapping[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
# What trains tables of ids, by the names that the setting table_learner gives them.
TABLE_LEARNERS: Mapping[str, Callable[..., LazyAdam | RowWise]] = {
    "adam": LazyAdam,
    "row_adam": RowWise,
}
Weights = list[Tensor] | list[dict[str, Any]]
Build = Callable[[Weights], torch.optim.Optimizer]


class SparseAndDense:
    """Two optimisers that step as one: a lazy one for id tables, any for the rest.

    Parameters
    ----------
    dense : torch.optim.Optimizer
    sparse : LazyAdam or RowWise
    stepped : callable
        Called after each step, and when other weights are put in place.
    horizon : int
        Steps of the running mean of weights; below 2 there is none.
    place : Place or None
        Of this process on its machine. The tables, and all that is kept of them, then lie once
        on a machine, and each process updates its rows. All processes make it, step it, and
        load it in step.

    Attributes
    ----------
    average : WeightAverage or None

    Raises
    ------
    SettingsError
        If nothing can lie in common.
    """

    def __init__(
        self,
        dense: torch.optim.Optimizer,
        sparse: LazyAdam | RowWise,
        stepped: Callable[[], None],
        horizon: int,
        place: Place | None,
    ) -> None:
        self.dense, self.sparse = dense, sparse
        self._stepped, self._place = stepped, place
        self.average: WeightAverage | None = None
        tables = _weights_of(sparse)
        if place is not None:
            for table in tables:
                table.data = in_common(table.data)
            sparse.zeros = zeros_in_common
        if horizon > 1:
            self.average = WeightAverage(_weights_of(dense), tables, horizon, place)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Parameter groups of both."""
        return self.dense.param_groups + self.sparse.param_groups

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad = None

    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Update all parameters."""
        if self._place is not None:
            self._keep_own_rows(self._place)
        # Others may still be reading tables.
        wait_for_sharers(self._place)
        if self.average is not None:
            self.average.before_step()
        self.dense.step(closure)
        self.sparse.step()
        if self.average is not None:
            self.average.after_step()
        wait_for_sharers(self._place)
        self._stepped()

    def _keep_own_rows(self, place: Place) -> None:
        for table in _weights_of(self.sparse):
            if table.grad is not None:
                table.grad = own_rows(table.grad, place)

    def average_weights(self) -> None:
        """Let the model have the running mean of its weights, where there is one."""
        if self.average is not None:
            self.average.put_in()
            self._stepped()

    def latest_weights(self) -> None:
        """Let the model have its latest weights, to be trained on."""
        if self.average is not None and self.average.in_place:
            self.average.take_out()
            self._stepped()

    def state_dict(self) -> dict[str, Any]:
        """Give the states as plain values."""
        state = {"dense": self.dense.state_dict(), "sparse": self.sparse.state_dict()}
        if self.average is not None:
            state["average"] = self.average.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the states back; the model has the weights of their moment already."""
        self.dense.load_state_dict(state["dense"])
        self.sparse.load_state_dict(state["sparse"])
        if self._place is not None:
            self._put_state_in_common()
        if self.average is not None:
            if "average" in state:
                self.average.load_state_dict(state["average"])
            else:
                # Of a run without a mean, which begins with the weights that came with the state.
                self.average.begin()
        wait_for_sharers(self._place)

    def _put_state_in_common(self) -> None:
        for table in _weights_of(self.sparse):
            state = self.sparse.state[table]
            for name, value in state.items():
                if isinstance(value, Tensor):
                    state[name] = in_common(value)


def _weights_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def id_tables(model: nn.Module) -> list[Tensor]:
    """Give the tables of ids of a model, whose gradients are sparse."""
    return [
        module.weight
        for module in model.modules()
        if isinstance(module, nn.Embedding) and module.sparse
    ]


def sparse_and_dense(
    model: nn.Module,
    build: Build,
    table_step: float,
    stepped: Callable[[], None],
    horizon: int = 0,
    pointer_step: float | None = None,
    table_learner: str = "adam",
    place: Place | None = None,
) -> SparseAndDense:
    """Give an optimiser for a model's tables of ids, and another one for its other weights.

    Parameters
    ----------
    model : nn.Module
        With tables of ids.
    build : callable
        Gives the other optimiser, of weights or of groups of them.
    table_step : float
        Step size of the tables.
    stepped : callable
        Called after each step.
    horizon : int
        Steps of the running mean of weights; below 2 there is none.
    pointer_step : float, optional
        Step size of a pointer's weights; without it, it is that of all others.
    table_learner : str
        One of :data:`TABLE_LEARNERS`.
    place : Place, optional
        Of this process, if the processes of a machine have the tables in common.
    """
    tables = id_tables(model)
    ids = {id(table) for table in tables}
    weights: list[Tensor] = [weight for weight in model.parameters() if id(weight) not in ids]
    dense = build(weights if pointer_step is None else _with_pointer(model, weights, pointer_step))
    if isinstance(dense, torch.optim.Adam):
        # Windows are small, and it shows what torch does beside the passes over weights.
        dense = DenseAdam.instead_of(dense)
    sparse = TABLE_LEARNERS[table_learner](tables, lr=table_step)
    return SparseAndDense(dense, sparse, stepped, horizon, place)


def _with_pointer(model: nn.Module, weights: list[Tensor], step: float) -> Weights:
    """Put the weights of a model's pointer, where there is one, in a group of their own."""
    pointers = [module for module in model.modules() if isinstance(module, Pointer)]
    own = {id(weight) for pointer in pointers for weight in pointer.parameters()}
    if not own:
        return weights
    mine = [weight for weight in weights if id(weight) in own]
    others = [weight for weight in weights if id(weight) not in own]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": mine, "lr": step}]
    return groups


def optimizer_of(
    model: nn.Module, config: Mapping[str, Any], stepped: Callable[[], None]
) -> SparseAndDense:
    """Give the optimiser that settings ask for, as RecBole's trainer would make it.

    Parameters
    ----------
    model : nn.Module
        With tables of ids.
    config : mapping
        ``learner``, ``learning_rate``, ``table_learner``, ``table_learning_rate``,
        ``pointer_learning_rate`` and ``weight_decay``.
    stepped : callable
        Called after each step.

    Raises
    ------
    SettingsError
        If there is no such learner.
    """
    learner = LEARNERS.get(str(config["learner"]).lower())
    if learner is None:
        raise SettingsError(
            f"learner is {config['learner']!r}; it must be one of {', '.join(LEARNERS)}"
        )
    options = {"lr": config["learning_rate"], "weight_decay": config.get("weight_decay") or 0.0}
    table_step = config.get("table_learning_rate") or config["learning_rate"]
    # Each of them takes weights and these two.
    build: Callable[..., torch.optim.Optimizer] = learner
    return sparse_and_dense(
        model,
        lambda weights: build(weights, **options),
        table_step,
        stepped,
        pointer_step=config.get("pointer_learning_rate"),
        table_learner=config.get("table_learner") or "adam",
    )

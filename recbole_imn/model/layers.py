"""Building blocks of the network, each a few equations of the paper."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import condition, condition_rows, project, unit
from recbole_imn.kernels.contexts import join_context, map_context
from recbole_imn.kernels.event_input import event_input, event_inputs
from recbole_imn.kernels.lookup import look_up
from recbole_imn.kernels.representation import join, join_with_latest
from recbole_imn.log import Flags, Floats
from recbole_imn.stream.products import affine, sigmoid


class Affine(nn.Linear):
    """A linear layer in which a row's result does not depend on how many rows there are."""

    def forward(self, input: Tensor) -> Tensor:
        """Map rows, float [n, in_features] to [n, out_features]."""
        return affine(input, self.weight, self.bias)


def bias_of(layer: nn.Linear) -> Tensor:
    """Give the bias of a layer, float [n_out]; zeros where it has none."""
    bias: Tensor | None = layer.bias
    return layer.weight.new_zeros(layer.out_features) if bias is None else bias


class ElapsedTime(nn.Module):
    """Two inputs that tell an elapsed time: its standardised value and a first-event flag.

    Mean and deviation are those of the training events, fixed at construction and stored in
    checkpoints. Seconds as they come (up to 10^7) would saturate every sigmoid.

    Parameters
    ----------
    seconds : float64 [n_training_events]
        Elapsed times of the training events.
    first : bool [n_training_events]
        Where there is no earlier event; such times count for nothing.
    scale : str
        'log' (of 1 + seconds) or 'linear'.
    origin : str
        'mean', or 'zero': then the mean stays in, and the flag is 0 everywhere.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, seconds: Floats, first: Flags, scale: str, origin: str = "mean") -> None:
        super().__init__()
        self.logarithmic, self.flags = scale == "log", origin == "mean"
        times = torch.from_numpy(self._transform(seconds[~first]))
        known = len(times) > 1
        centred = known and origin == "mean"
        self.register_buffer(
            "mean", times.mean() if centred else torch.zeros((), dtype=times.dtype)
        )
        deviation = times.std() if known else torch.ones((), dtype=times.dtype)
        self.register_buffer("deviation", deviation.clamp(min=1e-6))

    def _transform(self, seconds: Floats) -> Floats:
        # Not torch's log1p: its last bit depends on an element's place in the tensor.
        return np.log1p(seconds) if self.logarithmic else seconds

    def forward(self, seconds: Floats, first: Flags) -> Tensor:
        """Give the inputs, float32 [n, 2]: standardised time (0 for a first event), flag."""
        inputs = np.empty((len(seconds), 2), np.float32)
        mean, deviation = float(self.mean), float(self.deviation)
        _elapsed_inputs(seconds, first, self.logarithmic, self.flags, mean, deviation, inputs)
        return torch.from_numpy(inputs).to(self.mean.device)


@compiled
def _elapsed_inputs(
    seconds: Floats,
    first: Flags,
    logarithmic: bool,
    flags: bool,
    mean: float,
    deviation: float,
    inputs: npt.NDArray[np.float32],
) -> None:
    for row in range(len(seconds)):
        # As log1p in half its time: what is lost of a fraction of a second is 1e-16.
        time = np.log(1 + seconds[row]) if logarithmic else seconds[row]
        inputs[row, 0] = 0.0 if first[row] else (time - mean) / deviation
        inputs[row, 1] = first[row] and flags


class Projection(nn.Module):
    r"""Project a state to the present: :math:`(1 + W_t \Delta) \odot h`, equations (7)-(10)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # Zero: a state stays as it is until there is a reason.
        self.drift = nn.Parameter(torch.zeros(width, 2))

    def forward(self, states: Tensor, rows: Tensor, elapsed: Tensor) -> Tensor:
        """Project the hidden parts of states [m, stored] at rows [n] by elapsed inputs [n, 2]."""
        return project(states, rows, elapsed, self.drift)


class Gate(nn.Module):
    r"""A learnable mean of two states, element by element.

    .. math:: g \odot a + (1 - g) \odot b, \quad g = \sigma(W [a, b] + c)
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = Affine(2 * width, width)
        # The first state counts for nearly all until there is a reason.
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, 2.0)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Mix states, both [n, width]."""
        gate = sigmoid(self.linear(torch.cat([first, second], dim=1)))
        return gate * first + (1 - gate) * second


class StaticTable(nn.Module):
    """Static embeddings of ids, compressed one-hot vectors.

    Random unit vectors are nearly orthogonal, as one-hot vectors are exactly; the unit
    length keeps that geometry while they learn. Gradients are sparse: a step costs nothing
    for ids outside the window.

    Parameters
    ----------
    n_entities, width : int
        Shape, padding row 0 included.
    unit : bool
        Whether rows are scaled to unit length when read.
    features : float [n_entities, n_features], optional
        Standardised features, of which a linear map is added to the rows.
    n_known : int, optional
        Ids from this one on were never trained. They share one learned row, which other ids
        read now and then in training. Without it each has a random row of its own.
    dropout : float
        Share of the ids that read the shared row, for the length of a window.

    Attributes
    ----------
    salt : int or None
        Says which ids are left out at present; None leaves out none.
    """

    features: Tensor

    def __init__(
        self,
        n_entities: int,
        width: int,
        unit: bool,
        features: Tensor | None = None,
        n_known: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.unit, self.dropout = unit, dropout
        self.salt: int | None = None
        n_rows = n_entities if n_known is None else n_known
        self.table = nn.Embedding(n_rows, width, sparse=True)
        nn.init.normal_(self.table.weight, std=width**-0.5)
        self.unseen = None if n_known is None else nn.Parameter(torch.randn(width) * width**-0.5)
        self.of_features = None
        if features is not None and features.shape[1]:
            self.register_buffer("features", features, persistent=False)
            self.of_features = Affine(features.shape[1], width, bias=False)
            # Like and unlike items begin as far apart as two ids.
            nn.init.normal_(self.of_features.weight, std=(width * features.shape[1]) ** -0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Look up embeddings, float [*ids.shape, width]."""
        rows = self.scaled(self.rows(ids.reshape(-1)))
        return rows.view(*ids.shape, rows.shape[1])

    def scaled(self, rows: Tensor) -> Tensor:
        """Scale embeddings as they are, float [n, width], to unit length if that is asked for."""
        return unit(rows) if self.unit else rows

    def rows(self, ids: Tensor) -> Tensor:
        """Look up embeddings as they are, float [n, width]."""
        rows = self._rows(ids)
        return rows if self.of_features is None else rows + self.of_features(self.features[ids])

    def grow(self, n_entities: int, features: Tensor | None = None) -> None:
        """Make room for more ids; those that are there keep their rows.

        Parameters
        ----------
        n_entities : int
        features : float [n_entities, n_features], optional
            Of all ids, where the table has features.
        """
        if self.of_features is not None and features is not None:
            self.features = features
        if self.unseen is None and n_entities > len(self.table.weight):
            self._add_random_rows(n_entities)

    @torch.no_grad()
    def _add_random_rows(self, n_entities: int) -> None:
        old = self.table.weight
        generator = torch.Generator()
        added = []
        for entity in range(len(old), n_entities):
            # Of an id alone, so that it does not matter when and with whom it comes.
            generator.manual_seed(entity)
            added.append(torch.randn(old.shape[1], generator=generator) * old.shape[1] ** -0.5)
        weight = torch.cat([old, torch.stack(added).to(old)])
        self.table.weight = nn.Parameter(weight)
        self.table.num_embeddings = n_entities

    def _rows(self, ids: Tensor) -> Tensor:
        rows: Tensor
        if self.unseen is None:
            rows = self.table(ids)
            return rows
        return look_up(self.table.weight, self.unseen, ids, self.salt, self.dropout)


class Statics(nn.Module):
    """The static embeddings of users and of items."""

    def __init__(self, user: StaticTable, item: StaticTable) -> None:
        super().__init__()
        self.user, self.item = user, item

    @contextmanager
    def leaving_out(self, salt: int) -> Iterator[None]:
        """Leave ids out meanwhile, others for another salt."""
        self.user.salt, self.item.salt = salt, salt + 1
        try:
            yield
        finally:
            self.user.salt = self.item.salt = None


class Conditioning(nn.Module):
    """Centre states and scale them to unit length, so that products of them tell something.

    Sigmoid states share a large constant part, which hides their differences.

    Parameters
    ----------
    width : int
        Size of a state.
    centre : float
        Where the learnable centre starts.
    unit : bool
        False gives the states as they are.
    """

    def __init__(self, width: int, centre: float, unit: bool) -> None:
        super().__init__()
        self.width = width
        self.centre = nn.Parameter(torch.full((width,), centre)) if unit else None

    def forward(self, states: Tensor, rows: Tensor | None = None) -> Tensor:
        """Condition states, float [n, width].

        Parameters
        ----------
        states : float [m, stored]
            The first ``width`` columns count.
        rows : int64 [n], optional
            Which of them; all by default.
        """
        if self.centre is None:
            chosen = states if rows is None else states[rows]
            return chosen[:, : self.width]
        if rows is None:
            return condition(states[:, : self.width], self.centre)
        return condition_rows(states, rows, self.centre)

    def beside(
        self, states: Tensor, rows: Tensor, table: StaticTable, embedded: Tensor, places: Tensor
    ) -> Tensor:
        """Give conditioned states and static embeddings side by side, float [n, 2 * width].

        Parameters
        ----------
        states : float [m, stored]
        rows : int64 [n]
            Which of them.
        table : StaticTable
        embedded : float [n_distinct, width]
            Rows of the table as they are.
        places : int64 [n]
            Which of them.
        """
        if self.centre is not None and table.unit:
            return join(states, rows, self.centre, embedded, places)
        return torch.cat([self(states, rows), table.scaled(embedded[places])], dim=1)

    def with_latest(
        self,
        states: Tensor,
        rows: Tensor,
        table: StaticTable,
        embedded: Tensor,
        places: Tensor,
        latest_rows: Tensor,
        latest: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give :meth:`beside`, and both parts of other items by themselves.

        Parameters
        ----------
        states, rows, table, embedded, places
            As of :meth:`beside`.
        latest_rows : int64 [m]
            Where the states of other items lie.
        latest : int64 [n_latest]
            Which of the rows of the table.

        Returns
        -------
        float [n, 2 * width], [m, width], [n_latest, width]
        """
        if self.centre is not None and table.unit:
            return join_with_latest(
                states, rows, self.centre, embedded, places, latest_rows, latest
            )
        of_latest = table.scaled(embedded.index_select(0, latest))
        beside = self.beside(states, rows, table, embedded, places)
        return beside, self(states, latest_rows), of_latest


class EventInput(nn.Module):
    """What a state's update takes from the event itself: W3 D + W4 v + bias.

    Parameters
    ----------
    width : int
        Size of the output.
    n_behaviours : int
        Kinds of action, padding included.
    n_features : int
        Numeric features of an event.
    biases : bool
        Whether there is a bias.
    """

    def __init__(self, width: int, n_behaviours: int, n_features: int, biases: bool = True) -> None:
        super().__init__()
        self.elapsed = Affine(2, width, bias=biases)
        self.behaviour = nn.Embedding(n_behaviours, width)
        self.features = Affine(n_features, width, bias=False) if n_features else None
        nn.init.normal_(self.behaviour.weight, std=0.1)

    @property
    def weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """What elapsed times and behaviours are mapped by: weight, bias, table."""
        return self.elapsed.weight, bias_of(self.elapsed), self.behaviour.weight

    def forward(self, elapsed: Tensor, behaviour: Tensor, features: Tensor) -> Tensor:
        """Give the input, float [n, width], of events: [n, 2], int64 [n], [n, n_features]."""
        out = event_input(elapsed, behaviour, *self.weights)
        return out if self.features is None else out + self.features(features)

    def after(self, elapsed: Tensor, behaviour: Tensor, features: Tensor) -> Tensor:
        """Do the same where -1 stands for no behaviour, of which there is nothing to tell."""
        weight, bias, table = self.weights
        behaviour = torch.where(behaviour < 0, len(table), behaviour)
        out = event_input(elapsed, behaviour, weight, bias, functional.pad(table, (0, 0, 0, 1)))
        return out if self.features is None else out + self.features(features)


def two_inputs(
    of_user: EventInput,
    of_item: EventInput,
    elapsed: tuple[Tensor, Tensor],
    behaviour: Tensor,
    features: Tensor,
) -> Tensor:
    """Give what both updates of events take from them, float [n, 2 * width], in one pass.

    Parameters
    ----------
    of_user, of_item : EventInput
    elapsed : tuple of float32 [n, 2]
        Inputs that tell the times elapsed for user and item.
    behaviour : int64 [n]
    features : float32 [n, n_features]
    """
    sides = (of_user, of_item)
    out = event_inputs(elapsed, behaviour, *(side.weights for side in sides))
    linear = [side.features for side in sides if side.features is not None]
    return out + torch.cat([each(features) for each in linear], dim=1) if linear else out


@dataclass(frozen=True)
class Contexts:
    """Contexts of rows, part by part; what rows share is there once.

    Attributes
    ----------
    user : float [n, n_parts * d]
        Fused and conditioned user states.
    users : float [n_users, d]
        Static embeddings of the rows' users.
    user_place : int64 [n]
        Which of them.
    item : float [n, d]
        Conditioned states of the items of the users' latest events.
    items : float [n_items, d]
        Static embeddings of these items.
    item_place : int64 [n]
        Which of them.
    """

    user: Tensor
    users: Tensor
    user_place: Tensor
    item: Tensor
    items: Tensor
    item_place: Tensor

    def joined(self) -> Tensor:
        """Give [user, static user, previous item's state, previous static item] of each row."""
        return join_context(*vars(self).values())

    def map(self, layer: nn.Linear) -> Tensor:
        """Give what a linear layer makes of the contexts, float [n, n_out]."""
        parts: tuple[Tensor, ...] = *vars(self).values(), layer.weight, bias_of(layer)
        return map_context(*parts)


@dataclass(frozen=True)
class Mapped:
    """Contexts of rows, mapped to the space of item representations.

    Attributes
    ----------
    values : float [n, sum of the widths of the maps that there are]
    columns : tuple of int
        Where the prediction and the rows' side of the density ratio begin; -1 for none.
    widths : tuple of int
        Of what is predicted, and of a representation, 2d.
    log_temperature : float []
    """

    values: Tensor
    columns: tuple[int, int]
    widths: tuple[int, int]
    log_temperature: Tensor

    @property
    def predicted(self) -> Tensor:
        """Where the prediction's target is expected, float [n, width]."""
        return self._map(0)

    @property
    def compared(self) -> Tensor:
        """The rows' side of the log density ratio, over the temperature, float [n, width]."""
        return self._map(1) * torch.exp(-self.log_temperature)

    def with_compared(self, added: Tensor) -> Mapped:
        """Give the same with a summand of the rows' side, float [n, width], before the temperature.

        The prediction is left as it is.
        """
        column = self.columns[0]
        compared = self._map(1) + added
        if column < 0:
            return replace(self, values=compared, columns=(-1, 0))
        both = torch.cat([self._map(0), compared], 1)
        return replace(self, values=both, columns=(0, self.widths[0]))

    def _map(self, number: int) -> Tensor:
        column, width = self.columns[number], self.widths[number]
        if column < 0:
            return self.values.new_zeros(len(self.values), width)
        return self.values[:, column : column + width]


class ContextMaps(nn.Module):
    """Two linear maps from a context to the space of item representations, as one product.

    The context is [user, static user, previous item's state, previous static item], where
    the user may have several parts, and the representation [item state, static item]. The
    first map is the prediction of equation (11), of all or the second half of it; the second the
    W of the density ratio (13), over a temperature.

    Parameters
    ----------
    n_parts : int
        Parts of the context, the previous item's two last.
    width : int
        Size d of each part.
    start : str
        'identity': both begin as a copy of the previous item, plus a little noise. 'random':
        they begin as any linear layer.
    temperature : float
        Where the temperature starts.
    learned : tuple of bool
        Whether there is something that the first and the second map learn from; one that
        learns nothing is 0.
    shared : bool
        Whether there is one map for both.
    target : str
        What is predicted: 'both' halves of a representation, or the 'static' one.
    biases : bool
        Whether the maps have bias terms.
    learned_temperature : bool
    """

    log_temperature: Tensor

    def __init__(
        self,
        n_parts: int,
        width: int,
        start: str,
        temperature: float,
        learned: tuple[bool, bool] = (True, True),
        shared: bool = False,
        target: str = "both",
        biases: bool = True,
        learned_temperature: bool = True,
    ) -> None:
        super().__init__()
        self.learned, self.shared = learned, shared
        self.widths = (width if target == "static" else 2 * width, 2 * width)
        both = [_start_of_map(n_parts, width, wide, start) for wide in self.widths]
        starts = [linear for linear, there in zip(both, learned, strict=True) if there]
        starts = starts[:1] if shared else starts
        n_out = sum(linear.out_features for linear in starts)
        self.linear = Affine(n_parts * width, n_out, bias=biases)
        with torch.no_grad():
            self.linear.weight.copy_(torch.cat([linear.weight for linear in starts]))
            if biases:
                self.linear.bias.copy_(torch.cat([linear.bias for linear in starts]))
        log_temperature = torch.tensor(float(np.log(temperature)))
        if learned_temperature:
            self.log_temperature = nn.Parameter(log_temperature)
        else:
            self.register_buffer("log_temperature", log_temperature)

    @property
    def columns(self) -> tuple[int, int]:
        """Where the first and the second map begin in what is mapped; -1 for none."""
        if self.shared:
            return 0, 0
        predicted, compared = self.learned
        return (0 if predicted else -1), (self.widths[0] * predicted if compared else -1)

    def forward(self, contexts: Contexts) -> Mapped:
        """Map contexts."""
        return Mapped(contexts.map(self.linear), self.columns, self.widths, self.log_temperature)


def _start_of_map(n_parts: int, width: int, n_out: int, start: str) -> nn.Linear:
    linear = nn.Linear(n_parts * width, n_out)
    if start == "identity":
        nn.init.normal_(linear.weight, std=0.1 / (n_parts * width) ** 0.5)
        nn.init.zeros_(linear.bias)
        with torch.no_grad():
            linear.weight[:, -n_out:] += torch.eye(n_out)
    return linear

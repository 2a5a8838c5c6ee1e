"""Tables of states: one row an entity, as buffers of a module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recbole_imn.kernels.memory import Table, read, write

# None: as everything else is computed.
PRECISIONS = {
    "float32": None,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


class Memory(nn.Module):
    """States of entities of one kind, kept between windows.

    An entity without a committed state reads as the learnable initial state, so that
    gradients reach it. The tables are no part of checkpoints: replaying the log makes them.

    Parameters
    ----------
    n_entities : int
        Rows, padding included.
    width : int
        Size of a state.
    positive : bool
        Whether states lie in (0, 1), as those of sigmoid cells; the initial one then does too.
    precision : str
        Of the kept states: 'float16', 'bfloat16', or 'float32' for that of the initial state.
    """

    states: Tensor
    known: Tensor

    def __init__(
        self, n_entities: int, width: int, positive: bool = True, precision: str = "float32"
    ) -> None:
        super().__init__()
        self.positive = positive
        self.initial_logit = nn.Parameter(torch.zeros(width))
        states = torch.zeros(n_entities, width, dtype=PRECISIONS[precision])
        self.register_buffer("states", states, persistent=False)
        self.register_buffer("known", torch.zeros(n_entities, dtype=torch.bool), persistent=False)

    @property
    def initial(self) -> Tensor:
        """State before the first event, float [width]."""
        return torch.sigmoid(self.initial_logit) if self.positive else self.initial_logit

    def grow(self, n_entities: int) -> None:
        """Make room for more entities, none of which has a state."""
        missing = n_entities - len(self.states)
        if missing > 0:
            self.states = torch.cat([self.states, self.states.new_zeros(missing, self.width)])
            self.known = torch.cat([self.known, self.known.new_zeros(missing)])

    @property
    def width(self) -> int:
        """Size of a state."""
        return self.states.shape[1]

    def reset(self) -> None:
        """Forget every state."""
        self.known.zero_()

    def read(self, ids: Tensor) -> Tensor:
        """Give the states of some entities, float [n, width]; no gradient to older windows."""
        return read(*self.table(ids))

    def table(self, ids: Tensor) -> Table:
        """Give what is read for some entities: states, who has one, the ids, and the initial."""
        return self.states, self.known, ids, self.initial

    def commit_rows(self, ids: Tensor, buffer: Tensor, rows: Tensor, first: int) -> None:
        """Store the states at rows of a buffer, where these are not below ``first``.

        Rows below were read from here, and nothing has changed.
        """
        write(self.states, self.known, ids, buffer, rows, first)

    def state(self) -> dict[str, Tensor]:
        """Give a copy of the content."""
        return {"states": self.states.clone(), "known": self.known.clone()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take back what :meth:`state` gave; entities that came later have no state then."""
        n_entities = len(self.states)
        self.states = state["states"].to(self.states, copy=True)
        self.known = state["known"].to(self.known, copy=True)
        self.grow(n_entities)

"""Attention to the user's latest items, beside the states that the recursion keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.kernels.attention import attend
from recbole_imn.model.contexts import Mapped
from recbole_imn.model.latest import latest_items
from recbole_imn.model.layers import Affine
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.pointer import GAIN, SPEED
from recbole_imn.past import Facts, Past
from recbole_imn.past.distinct import distinct, places_in

N_HEADS = 2
# What a place further back counts less, in the beginning.
FADING = 0.1


@dataclass(frozen=True)
class Attended:
    """What rows attend to.

    Attributes
    ----------
    items : int64 [n_distinct]
        Increasing.
    places : int64 [n, length]
        Which of them are those of the user's latest events, the newest first; -1 where there
        are no more.
    behaviours : int64 [n, length]
    ages : float32 [n, length]
        ``log_time`` of the seconds since these events.
    """

    items: Tensor
    places: Tensor
    behaviours: Tensor
    ages: Tensor


class Attention(nn.Module):
    """Adds to a context, where it is mapped, what it attends to among the latest events.

    A state forgets; the items of the latest events are here as they are, as in a transformer's
    last position (Kang and McAuley, 2018). Each of two heads weighs their static embeddings by
    how well they go with the static side of the mapped context, element by element scaled, by
    place, behaviour and how long ago the event was. A linear map of both means is added; it
    adds nothing at first. No event is projected: embeddings are compared with each other
    anyway, and a projection of queries had gained nothing.

    Parameters
    ----------
    making : Making
    """

    def __init__(self, making: Making) -> None:
        super().__init__()
        width, self.length = making.width, making.settings.attended_events
        n_behaviours = making.past.log.n_behaviours
        self.scale = nn.Parameter(0.2 * torch.randn(N_HEADS, width))
        fading = -FADING * torch.arange(self.length, dtype=torch.get_default_dtype())
        self.place = nn.Parameter(fading.repeat(N_HEADS, 1) / SPEED)
        self.behaviour = nn.Parameter(torch.zeros(N_HEADS, n_behaviours))
        self.age = nn.Parameter(torch.zeros(N_HEADS, 2))
        self.value = Affine(N_HEADS * width, 2 * width)
        nn.init.zeros_(self.value.weight)
        nn.init.zeros_(self.value.bias)

    def look(self, past: Past, facts: Facts, whole: Facts | None = None) -> Attended:
        """Look up the latest events of rows.

        Parameters
        ----------
        past : Past
        facts : Facts
            Of the rows.
        whole : Facts, optional
            Of more rows, whose items are there as well.
        """
        items, behaviours, ages = latest_items(past, facts, self.length)
        every = items if whole is None else latest_items(past, whole, self.length)[0]
        found = distinct(every[every > 0])
        places = places_in(found, items.reshape(-1)).reshape(items.shape)
        return Attended(
            torch.from_numpy(found),
            torch.from_numpy(np.where(items > 0, places, -1)),
            torch.from_numpy(behaviours),
            torch.from_numpy(ages),
        )

    def forward(self, attended: Attended, mapped: Mapped, embedded: Tensor) -> Tensor:
        """Give what is added to what the contexts were mapped to, float [n, 2d].

        Parameters
        ----------
        attended : Attended
        mapped : Mapped
            The contexts.
        embedded : float [n_distinct, d]
            Static embeddings of the items attended to.
        """
        static = mapped.compared[:, mapped.widths[1] // 2 :]
        mean = attend(
            static.unsqueeze(1) * self.scale,
            embedded,
            attended.places,
            attended.behaviours,
            attended.ages,
            self.place,
            self.behaviour,
            self.age,
            GAIN**2,
            SPEED,
        )
        added: Tensor = self.value(mean.flatten(1))
        return added

"""A window of the log as the network sees it: events, rows and a plan, nothing of weights."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Ids, Integers
from recbole_imn.past import Facts, Past
from recbole_imn.stream.plan import WindowPlan


@dataclass(frozen=True)
class Told:
    """What events tell, one entry an event; -1 and zeros where there is none.

    Attributes
    ----------
    behaviour : int64 [n]
    features : float32 [n, n_features]
    """

    behaviour: Tensor
    features: Tensor


@dataclass(frozen=True)
class EventColumns:
    """What updates of states take from events, one entry an event.

    Attributes
    ----------
    user, item, behaviour : int64 [n]
    features : float32 [n, n_features]
        v: features of the event and of its item.
    since_user, since_item : float32 [n, 2]
        Inputs that tell D_u and D_i.
    before_user, before_item : Told or None
        The same of the user's, and of the item's, event before it, where updates see those.
    """

    user: Tensor
    item: Tensor
    behaviour: Tensor
    features: Tensor
    since_user: Tensor
    since_item: Tensor
    before_user: Told | None = None
    before_item: Told | None = None


@dataclass(frozen=True)
class PurchaseColumns:
    """What updates of the limited state take from purchases, one entry a purchase.

    Attributes
    ----------
    user, item, behaviour : int64 [n]
    features : float32 [n, n_features]
    since_purchase : float32 [n, 2]
        Inputs that tell D_p.
    extra : dict of str to Tensor
        What a branch looked up for itself.
    """

    user: Tensor
    item: Tensor
    behaviour: Tensor
    features: Tensor
    since_purchase: Tensor
    extra: dict[str, Tensor]


@dataclass(frozen=True)
class RowColumns:
    """Rows to be scored, one entry a row.

    Attributes
    ----------
    user, item : int64 [n]
        The user, and the item of his latest event; 0 for none.
    since_user, since_purchase : float32 [n, 2]
        Inputs that tell the time since his latest event and purchase.
    looked : dict of str to object
        What terms and the pointer looked up for themselves, by their names.
    """

    user: Tensor
    item: Tensor
    since_user: Tensor
    since_purchase: Tensor
    looked: dict[str, Any]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.user)


@dataclass(frozen=True)
class Window:
    """Everything that the network needs of a stretch of the log.

    Attributes
    ----------
    plan : WindowPlan
    events : EventColumns
    purchases : PurchaseColumns or None
    facts : Facts
        Of the rows.
    rows : RowColumns
    lessons : object or None
        For training: what the rows should be, and compared with what.
    whole : Facts or None
        Where each process has a part of the rows: facts of the rows of all of them.
    """

    plan: WindowPlan
    events: EventColumns
    purchases: PurchaseColumns | None
    facts: Facts
    rows: RowColumns
    lessons: Any = None
    whole: Facts | None = None

    def to(self, device: torch.device) -> Window:
        """Give the window with its tensors on a device."""
        if device.type == "cpu":
            return self
        return replace(
            self,
            plan=self.plan.to(device),
            events=on_device(self.events, device),
            purchases=on_device(self.purchases, device),
            rows=on_device(self.rows, device),
            lessons=on_device(self.lessons, device),
        )


def on_device(value: Any, device: torch.device) -> Any:
    """Give a value with the tensors inside it on a device; arrays stay where they are."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: on_device(part, device) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(on_device(part, device) for part in value)
    if hasattr(value, "__dataclass_fields__"):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return replace(value, **{name: on_device(part, device) for name, part in parts.items()})
    return value


def ids(column: npt.NDArray[Any]) -> Tensor:
    """Give ids as int64, the type that torch indexes by."""
    return torch.from_numpy(column.astype(np.int64))


def ids_of(past: Past, events: Integers) -> tuple[Tensor, Tensor, Tensor]:
    """Give user, item and behaviour of events, int64 [n] each."""
    found, log = np.empty((3, len(events)), np.int64), past.log
    _ids_of(events, log.user, log.item, log.behaviour, found)
    user, item, behaviour = torch.from_numpy(found).unbind()
    return user, item, behaviour


@compiled
def _ids_of(
    events: Integers,
    users: Ids,
    items: Ids,
    behaviours: npt.NDArray[np.int16],
    found: Integers,
) -> None:
    for place in range(len(events)):
        event = events[place]
        found[0, place], found[1, place] = users[event], items[event]
        found[2, place] = behaviours[event]


def features_of(past: Past, events: Integers, items: Tensor, item_features: Tensor) -> Tensor:
    """Give v of events: their own features and those of their items, float32 [n, n_features].

    Parameters
    ----------
    past : Past
    events, items : int64 [n]
        Events, and the item of each.
    item_features : float32 [n_items, n_item_features]
    """
    own = torch.from_numpy(past.log.features[events])
    return torch.cat([own, item_features.cpu()[items]], dim=1)


def told_by(past: Past, events: Integers, item_features: Tensor) -> Told:
    """Give what events tell; -1 stands for none.

    Parameters
    ----------
    past : Past
    events : int64 [n]
    item_features : float32 [n_items, n_item_features]
    """
    there = torch.from_numpy(events >= 0)
    if len(past.log) == 0 or not there.any():
        n_features = past.log.features.shape[1] + item_features.shape[1]
        return Told(torch.full((len(events),), -1), torch.zeros(len(events), n_features))
    places = np.maximum(events, 0)
    _, item, behaviour = ids_of(past, places)
    features = features_of(past, places, item, item_features)
    return Told(torch.where(there, behaviour, -1), features * there.unsqueeze(1))

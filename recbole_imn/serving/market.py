"""A market that records move on: whoever applies the same records has the same ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

import numpy as np
import torch

from recbole_imn.errors import DataError, ServingError, UnknownItemError, one_line
from recbole_imn.log import NO_EVENT, Integers
from recbole_imn.log.completing import complete_columns
from recbole_imn.serving.intake import Event, Record
from recbole_imn.serving.names import Names, first_twice, raw_id, require_attributes
from recbole_imn.serving.packing import in_parts
from recbole_imn.serving.shelf import OpenShelf
from recbole_imn.serving.snapshot import EVENT_FIELDS, Snapshot
from recbole_imn.session import Session

# Room that is made at a time: numbers without a name, of whom nothing has happened.
SPARE = 256
# Ends of the names of users whom nobody may know: nobody can guess them, and go on as one of them.
FORGOTTEN_BYTES = 8
# What users are called whom nobody may know any more, with a random end.
FORGOTTEN = "forgotten-"


class Market:
    """Names, items, shelf, log and states, as of one moment.

    Parameters
    ----------
    snapshot : Snapshot
        Taken over, and changed from then on.
    session : Session
        On its log.
    """

    def __init__(self, snapshot: Snapshot, session: Session) -> None:
        self.snapshot, self.session = snapshot, session
        self._make_room()

    @property
    def users(self) -> Names:
        """Raw ids of users."""
        return self.snapshot.users

    @property
    def items(self) -> Names:
        """Raw ids of items."""
        return self.snapshot.items

    @property
    def stranger(self) -> int:
        """Number of a user of whom nothing is known: the next one to be given away."""
        return len(self.users)

    # -- records -----------------------------------------------------------------------------

    def apply(self, record: Record) -> None:
        """Let a record have happened.

        Raises
        ------
        ServingError
            If it is no record.
        """
        appliers = {
            "events": self._apply_events,
            "items": self._apply_items,
            "list": self._apply_listing,
            "delist": self._apply_listing,
            "forget": self._apply_forgetting,
        }
        kind = record.get("kind")
        if kind not in appliers:
            raise ServingError(f"a record is of kind {kind!r}, none of {', '.join(appliers)}")
        appliers[kind](record)

    def _apply_events(self, record: Record) -> None:
        users = self.users.add(record["user"])
        items = self.items.add(record["item"])
        self._make_room()
        numbers = {name: number for number, name in enumerate(self.snapshot.behaviours) if number}
        features, inventory = (
            self.snapshot.feature_maps[key].transform_cells(record["features"])
            if self.snapshot.feature_maps[key].fields
            else None
            for key in EVENT_FIELDS
        )
        columns = complete_columns(
            np.array(users),
            np.array(items),
            np.array(record["time"], np.float64),
            np.array([numbers.get(name, 0) for name in record["behavior"]], np.int16),
            np.array(record["purchase"], np.bool_),
            features,
            inventory,
        )
        self.session.observe(columns)

    def _apply_items(self, record: Record) -> None:
        numbers = self.items.add(record["item"])
        self.snapshot.attributes.set(numbers, record["attributes"])
        self._make_room()
        if not self.snapshot.feature_maps["item_features"].fields:
            return
        self.snapshot.keep_fitted_features()
        features = self.snapshot.item_features.clone()
        features[numbers] = self._features(record["item"], record["attributes"])
        self.snapshot.item_features = features
        self.session.grow(item_features=features)

    def _features(self, names: Sequence[str], cells: Mapping[str, list[Any]]) -> torch.Tensor:
        """Give the features of items of which some attributes are told anew; others stay.

        Raises
        ------
        DataError
            If a cell cannot be a feature.
        """
        found, known = self.snapshot.feature_maps["item_features"], self.snapshot.item_features
        empty = [None] * len(names)
        told = {field.name: cells.get(field.name, empty) for field in found.fields}
        features = torch.from_numpy(found.transform_cells(told)).to(known)
        stays = torch.tensor([owner not in cells for owner in found.owners], dtype=torch.bool)
        places = [self.items.get(name) or 0 for name in names]
        numbers = torch.tensor(places, dtype=torch.int64)
        before = known[numbers.clamp(max=len(known) - 1)]
        # Who has events alone so far has no features yet, and gets those of empty cells.
        has_some = (numbers > 0) & (numbers < len(known)) & (before != 0).any(dim=1)
        return torch.where(has_some[:, None] & stays, before, features)

    def _apply_listing(self, record: Record) -> None:
        numbers = [self.number_of(name) for name in record["item"]]
        if self.snapshot.shelf is None:
            empty = np.empty(0)
            self.snapshot.shelf = OpenShelf(np.empty(0, np.int64), empty, empty)
        shelf = self.snapshot.shelf
        change = shelf.list_items if record["kind"] == "list" else shelf.delist_items
        change(numbers, record["at"])

    def _apply_forgetting(self, record: Record) -> None:
        # In a journal that was rewritten, the user is called so from the beginning.
        if record["user"] != record["as"] and record["user"] in self.users:
            # Names in older journals had a number, which somebody could have for an id.
            is_free = record["as"] not in self.users
            self.users.rename(record["user"], record["as"] if is_free else self.name_to_forget())
        self.snapshot.forgotten += 1

    def name_to_forget(self) -> str:
        """Give a name that tells nothing of a user, and that nobody has."""
        return f"{FORGOTTEN}{token_hex(FORGOTTEN_BYTES)}"

    def _make_room(self) -> None:
        """Have numbers to spare, so that tables do not grow with every newcomer."""
        log = self.session.past.log
        sizes = [(len(self.users), log.n_users), (len(self.items), log.n_items)]
        if all(names < room for names, room in sizes):
            return
        n_users, n_items = (
            room if names < room else names + max(SPARE, names // 8) for names, room in sizes
        )
        known = self.snapshot.item_features
        added = known.new_zeros(n_items - len(known), known.shape[1])
        self.snapshot.item_features = torch.cat([known, added])
        self.session.grow(n_users, n_items, self.snapshot.item_features)

    # -- checks of records before they are kept ------------------------------------------------

    def items_record(self, columns: Mapping[str, list[Any]]) -> Record:
        """Give the record of items with their attributes.

        Raises
        ------
        ServingError
            If an attribute cannot be a feature of the model, or goes by the name of a column that
            lists have.
        """
        if "item" not in columns:
            raise ServingError(f"items have no column 'item', but {', '.join(columns)}")
        names = [raw_id(name, "item") for name in columns["item"]]
        if (twice := first_twice(names)) is not None:
            raise ServingError(f"item {twice!r} comes twice")
        cells = {name: values for name, values in columns.items() if name != "item"}
        require_attributes(cells, self._read_of_items())
        for field in self.snapshot.feature_maps["item_features"].fields:
            if field.name in cells:
                told = [in_parts(cell, field.kind) for cell in cells[field.name]]
                # All that applying it does: what was kept must be possible to apply.
                self._try_features(names, {field.name: told})
                cells[field.name] = [field.written(cell) for cell in told]
        return {"kind": "items", "item": names, "attributes": cells}

    def item_columns(self, told: Sequence[tuple[Any, Mapping[str, Any]]]) -> dict[str, list[Any]]:
        """Lay out items in columns; what one does not tell, and others do, is what it was.

        Raises
        ------
        ServingError
            If an attribute goes by the name of a column that lists have.
        """
        names = dict.fromkeys(name for _, attributes in told for name in attributes)
        require_attributes(names, self._read_of_items())
        numbers = [self.items.get(str(item)) or 0 for item, _ in told]
        known = self.snapshot.attributes
        columns: dict[str, list[Any]] = {"item": [item for item, _ in told]}
        for name in names:
            before = known.cells(name, numbers) if name in known.names else [None] * len(told)
            columns[name] = [
                attributes.get(name, cell)
                for (_, attributes), cell in zip(told, before, strict=True)
            ]
        return columns

    def _read_of_items(self) -> list[str]:
        return [field.name for field in self.snapshot.feature_maps["item_features"].fields]

    def _try_features(self, names: Sequence[str], cells: Mapping[str, list[Any]]) -> None:
        try:
            self._features(names, cells)
        except (DataError, TypeError, ValueError, LookupError, OverflowError) as error:
            reason = one_line(error)
            raise ServingError(f"attribute {next(iter(cells))!r}: {reason}") from None

    # -- looking things up ---------------------------------------------------------------------

    def number_of(self, item: str) -> int:
        """Give the number of an item.

        Raises
        ------
        UnknownItemError
        """
        number = self.items.get(item)
        if number is None:
            raise UnknownItemError(item)
        return number

    def history(self, user: int) -> Integers:
        """Give the events of a user, newest first, int64 [n]."""
        past = self.session.past
        count = int(past.users.count[user])
        events: Integers = past.histories(past.users.latest[[user]], max(count, 1))[0]
        found: Integers = events[events != NO_EVENT]
        return found

    def happened(self, event: Event) -> bool:
        """Say whether an event is in the log."""
        user, item = self.users.get(event[0]), self.items.get(event[1])
        if user is None or item is None:
            return False
        past = self.session.past
        log, latest = past.log, int(past.users.latest[user])
        while latest != NO_EVENT and log.time[latest] >= event[2]:
            name = self.snapshot.behaviours[int(log.behaviour[latest])] or None
            if (int(log.item[latest]), float(log.time[latest]), name) == (item, *event[2:]):
                return True
            latest = int(past.chains.user[latest])
        return False

    def latest_events(self) -> list[Event]:
        """Give the events of the log's last moment."""
        log, names = self.session.past.log, self.snapshot.behaviours
        first = int(np.searchsorted(log.time, log.time[-1])) if len(log) else 0
        return [
            (
                self.users.name(int(log.user[event])),
                self.items.name(int(log.item[event])),
                float(log.time[event]),
                names[int(log.behaviour[event])] or None,
            )
            for event in range(first, len(log))
        ]

    def purchase_of(self) -> dict[str, bool]:
        """Say of each behaviour whether its events so far are purchases, where all are alike."""
        return self.snapshot.purchases_until(len(self.session.past.log))

    @property
    def usual_purchases(self) -> dict[str, bool]:
        """Whether an event of a behaviour is a purchase where nobody says."""
        if self.snapshot.purchase_of is None:
            self.snapshot.purchase_of = self.snapshot.purchases_until(self.snapshot.bounds[-1])
        return self.snapshot.purchase_of

    def on_shelf(self, at: float) -> Integers:
        """Give the items for sale, int64 [n].

        Raises
        ------
        ServingError
            If nobody has said what is for sale.
        """
        if self.snapshot.shelf is None:
            raise ServingError(
                "nobody has said what is for sale: the data set has no listed_at and delisted_at, "
                "and list_items was never called"
            )
        return self.snapshot.shelf.on_shelf(at)

    def known_items(self, names: Sequence[str]) -> Integers:
        """Give the numbers of items, each once, in rising order, int64 [n]."""
        return np.unique(np.array([self.number_of(name) for name in names], np.int64))

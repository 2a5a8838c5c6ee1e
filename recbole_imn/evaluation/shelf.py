"""What is for sale when: listing intervals, and evaluation among items on the shelf.

The intervals come from the fields ``listed_at`` and ``delisted_at`` of the item file, one
number a stay on the shelf. An item is on the shelf from its listing to the end of the stay,
the sale itself included. At a row's time only stays that have begun are looked at, and of
their ends only whether they lie in the past: what happens later cannot matter.
"""

from __future__ import annotations

from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_imn.data.atomic import read_columns, read_header
from recbole_imn.data.stays import DELISTED, LISTED, STAYS, split_stays
from recbole_imn.data.united_stays import missed, united
from recbole_imn.errors import DataError, SettingsError
from recbole_imn.log import Flags, Floats, Integers
from recbole_imn.log.grouping import place_within_group
from recbole_imn.model.rows import event_indices

CANDIDATES = ("all", "on_shelf")


class Shelf:
    """Stays of items on the shelf.

    Parameters
    ----------
    item : int64 [n_stays]
        Ids of items; several stays of an item are fine.
    start, end : float64 [n_stays]
        First and last second of each stay; infinity where the end is open.
    n_items : int
        Size of the id space, padding included.

    Attributes
    ----------
    stays : tuple of item, start and end

    Raises
    ------
    DataError
        If a stay ends before it begins.
    """

    def __init__(self, item: Integers, start: Floats, end: Floats, n_items: int) -> None:
        wrong = np.flatnonzero(~(start <= end))
        if len(wrong):
            stay = int(wrong[0])
            raise DataError(
                f"a stay on the shelf begins at {start[stay]:g} and ends at {end[stay]:g}; "
                f"{DELISTED} must not be before {LISTED}"
            )
        self.stays, self.n_items = (item, start, end), n_items
        # Stays of the same item go to different layers, so that none overwrites another.
        layer = place_within_group(item)
        layers = [layer == number for number in range(int(layer.max(initial=-1)) + 1)]
        self._layers = [(item[chosen], start[chosen], end[chosen]) for chosen in layers]

    def on_shelf(self, times: Floats) -> Flags:
        """Say which items are for sale at some times, bool [n_times, n_items]."""
        mask = np.zeros((len(times), self.n_items), np.bool_)
        now = times[:, None]
        for item, start, end in self._layers:
            mask[:, item] |= (start <= now) & (now <= end)
        return mask


def read_shelf(dataset: Any) -> Shelf:
    """Read the shelf of a data set from its item file.

    Parameters
    ----------
    dataset : StreamDataset

    Raises
    ------
    DataError
        As for :func:`read_stays`, or if there is no stay at all.
    """
    item, start, end = read_stays(dataset)
    if not len(item):
        path = Path(dataset.dataset_path) / f"{dataset.dataset_name}.item"
        raise DataError(
            f"candidates is on_shelf, but {path} has no stay in {LISTED} and {DELISTED} of any "
            "item, so that nothing is ever for sale; use --candidates=all"
        )
    return Shelf(item, start, end, dataset.item_num)


def read_stays(dataset: Any) -> tuple[Integers, Floats, Floats]:
    """Read the stays of a data set's items from its item file.

    Parameters
    ----------
    dataset : StreamDataset

    Returns
    -------
    item : int64 [n_stays]
    start, end : float64 [n_stays]

    Raises
    ------
    DataError
        If there is no item file, it has no intervals, or a row has stays without a beginning or
        an end, or that end before they begin.
    """
    path = Path(dataset.dataset_path) / f"{dataset.dataset_name}.item"
    form = dataset.config["field_separator"], dataset.config["encoding"] or "utf-8"
    header = require_stays(path, *form)
    table = read_columns(path, header, [dataset.iid_field, *STAYS], *form)
    ids = dataset.field2token_id[dataset.iid_field]
    # Of an item's rows the first counts, as for its other attributes.
    table = table[table[dataset.iid_field].isin(ids)].drop_duplicates(dataset.iid_field)
    rows, start, end = split_stays(path, table, dataset.config["seq_separator"])
    items = np.array([ids[token] for token in table[dataset.iid_field]], np.int64)
    return items[rows], start, end


def misses(shelf: Shelf, dataset: Any) -> int:
    """Count rows of a part whose item is not for sale at their time, which no model can find.

    Parameters
    ----------
    shelf : Shelf
    dataset : StreamDataset
    """
    times = dataset.log.time[event_indices(dataset.inter_feat)]
    asked = dataset.inter_feat[dataset.iid_field].numpy()
    return int(missed(united(*shelf.stays, np.inf), asked, times).sum())


def require_stays(path: Path, separator: str = "\t", encoding: str = "utf-8") -> dict[str, str]:
    """Give the header of an item file that says when items were for sale.

    Raises
    ------
    DataError
        If there is no item file, or it does not say so.
    """
    header = read_header(path, separator, encoding) if path.is_file() else {}
    if not {*STAYS} <= header.keys():
        raise DataError(
            f"candidates is on_shelf, but {path} has no columns {LISTED}:float_seq and "
            f"{DELISTED}:float_seq; add them or use --candidates=all"
        )
    return header


class ShelfEvalDataLoader(FullSortEvalDataLoader):  # type: ignore[misc]  # RecBole is untyped
    """Rows for full ranking among the items for sale at each row's own time.

    The trainer of RecBole gives minus infinity to what the loader marks, so every model and
    RecBole's own evaluator work unchanged. A row whose true item is not on the shelf at its
    time stays: no model can be right there, and it counts as a miss for all of them alike.

    Raises
    ------
    SettingsError
        If the rows are no events of a stream.
    DataError
        If the data set has no intervals.
    """

    def __init__(self, config: Any, dataset: Any, sampler: Any, shuffle: bool = False) -> None:
        if not hasattr(dataset, "log"):
            raise SettingsError(
                f"candidates is on_shelf, but {config['model']} does not read the data set as "
                "a stream; set event_stream: True and use a sequential model"
            )
        # Before training, so that a data set without intervals costs nobody an epoch.
        self.shelf = read_shelf(dataset)
        super().__init__(config, dataset, sampler, shuffle)
        if n_missed := misses(self.shelf, dataset):
            getLogger().info(
                f"{n_missed:,} of {len(dataset):,} rows are of items not for sale then: they are "
                "misses, whatever a model ranks"
            )

    def collate_fn(self, index: Any) -> tuple[Interaction, Tensor, Tensor, Tensor]:
        """Give rows, the mask of what is not for sale, and the true items.

        Returns
        -------
        interaction : Interaction
        mask : bool [n_rows, n_items]
            True for items that are no candidates.
        rows, items : int64 [n_rows]
        """
        interaction, _, rows, items = super().collate_fn(index)
        return interaction, self._mask(event_indices(interaction)), rows, items

    def not_for_sale(self, places: Tensor) -> Tensor:
        """Mark what is no candidate for rows at some places of the part, bool [n, n_items]."""
        return self._mask(event_indices(self._dataset.inter_feat[places]))

    def _mask(self, events: Integers) -> Tensor:
        return torch.from_numpy(~self.shelf.on_shelf(self._dataset.log.time[events]))


def candidates_of(config: Any, phase: str) -> str:
    """Give the setting ``candidates`` of a configuration.

    Raises
    ------
    SettingsError
        If it is unknown, or asks for a shelf where candidates are sampled.
    """
    candidates = config["candidates"] or "all"
    if candidates not in CANDIDATES:
        raise SettingsError(f"candidates is {candidates!r}; it must be one of {CANDIDATES}")
    mode = config["eval_args"]["mode"][phase]
    if candidates == "on_shelf" and mode != "full":
        raise SettingsError(f"candidates is on_shelf, which needs eval_args mode: full, not {mode}")
    return str(candidates)

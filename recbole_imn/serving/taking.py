"""The snapshot of a model that RecBole has trained, and of the data set that it learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, NO_RUN, run_of, write_sealed
from recbole_imn.checkpoints.values import on_device
from recbole_imn.data.atomic import read_columns
from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.data.origin import has_record, origin_of, time_zone_of
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.data.stays import STAYS
from recbole_imn.errors import CheckpointError
from recbole_imn.evaluation.shelf import read_stays
from recbole_imn.log import EventLog
from recbole_imn.serving.attributes import Attributes
from recbole_imn.serving.names import Names
from recbole_imn.serving.shelf import OpenShelf
from recbole_imn.serving.snapshot import COLUMNS, KEY, Snapshot

# Of the types of columns, those that people can read.
READABLE = ("token", "token_seq", "float")


def add_snapshot(file: Path, model: Any, dataset: Any, stop: int | None = None) -> None:
    """Put a snapshot into a checkpoint, beside its weights.

    Parameters
    ----------
    file : Path
    model : IMNNet
        With the weights of the checkpoint.
    dataset : StreamDataset
    stop : int, optional
        Only the events of the log before it have happened; by default all of them.

    Raises
    ------
    CheckpointError
        If scores of this model are no function of weights and log.
    """
    checkpoint = load_checkpoint(file)
    checkpoint[KEY] = take_snapshot(model, dataset, stop).to_values()
    write_sealed(file, checkpoint, CHECKPOINT, run_of(file) or NO_RUN)


def take_snapshot(model: Any, dataset: Any, stop: int | None = None) -> Snapshot:
    """Take the snapshot of a data set, with the states that a model's weights make of its log.

    Parameters and errors as of :func:`add_snapshot`.
    """
    if not can_be_used(model):
        raise CheckpointError(
            f"{type(model).__name__} cannot be used event by event: "
            + (
                "with online_updates its weights move during an evaluation; train it with "
                "online_updates: False"
                if hasattr(model, "session")
                else "it has no states; a model of the stream, such as IMNNetPlus, can be"
            )
        )
    stop = len(dataset.log) if stop is None else stop
    model.session.seek(stop)
    folder, name = Path(dataset.dataset_path), dataset.dataset_name
    known = dataset.field2id_token
    items = [str(token) for token in known[dataset.iid_field][1:]]
    return Snapshot(
        log_until(dataset.log, stop),
        min(dataset.event_bounds[1], stop),
        dataset.event_bounds,
        Names([str(token) for token in known[dataset.uid_field][1:]]),
        Names(items),
        [str(token) for token in known["behavior"]] if "behavior" in known else [""],
        _other_fields(dataset),
        {key: FeatureMap.from_values(one) for key, one in model.feature_maps.items()},
        dataset.item_features,
        _attributes(dataset, items),
        _shelf(dataset),
        _epoch_seconds(folder, name),
        name,
        simulated_notice(folder, name),
        on_device(model.session.state()["memories"], "cpu"),
        time_zone=time_zone_of(folder, name),
    )


def can_be_used(model: Any) -> bool:
    """Whether scores of a model are a function of its weights and of a log that goes on."""
    return hasattr(model, "session") and not model.learns_online


def log_until(log: EventLog, stop: int) -> EventLog:
    """Give the events of a log before a position, with ids as they are."""
    columns: dict[str, Any] = {name: getattr(log, name)[:stop] for name in COLUMNS}
    return EventLog.from_columns(**columns, **vars(log.sizes))


def _other_fields(dataset: Any) -> list[str]:
    """Give the columns of the log that are neither ids nor what every event has."""
    plain = (dataset.uid_field, dataset.iid_field, dataset.time_field, "behavior", "purchase")
    return [name for name in dataset.header("inter") if name not in plain]


def _epoch_seconds(folder: Path, name: str) -> float | None:
    """Give when the log's second 0 was; files that say nothing are in epoch seconds."""
    if not has_record(folder, name):
        return 0.0
    origin = origin_of(folder, name)
    return origin.timestamp() if origin else None


def _attributes(dataset: Any, items: list[str]) -> Attributes:
    """Read all columns of the item file that people can read, whether the model saw them or not."""
    path = Path(dataset.dataset_path) / f"{dataset.dataset_name}.item"
    if not path.is_file():
        return Attributes({})
    form = dataset.config["field_separator"], dataset.config["encoding"] or "utf-8"
    header, key = dataset.header("item"), dataset.iid_field
    if key not in header:
        # A file of other things, which nothing of the data set reads either.
        return Attributes({})
    names = [name for name, kind in header.items() if kind in READABLE and name != key]
    table = read_columns(path, header, [key, *names], *form).drop_duplicates(key)
    table = table.set_index(key).reindex(items)
    columns = {
        name: [None, *(None if cell != cell else cell for cell in table[name].tolist())]
        for name in names
        if name not in STAYS
    }
    return Attributes(columns)


def _shelf(dataset: Any) -> OpenShelf | None:
    """Read when items are for sale, where the item file says so."""
    path = Path(dataset.dataset_path) / f"{dataset.dataset_name}.item"
    header = dataset.header("item") if path.is_file() else {}
    if not {*STAYS} <= header.keys():
        return None
    return OpenShelf(*read_stays(dataset))

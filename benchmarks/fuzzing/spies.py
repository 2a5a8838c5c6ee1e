"""What the child writes down of the data set and the settings that the package arrived at."""

from __future__ import annotations

from dataclasses import asdict
from functools import wraps
from typing import Any

seen: dict[str, Any] = {}
PLAIN = (bool, int, float, str, list, tuple, dict, type(None))


def install() -> None:
    """Listen where a data set is split and where a trainer is made; nothing is changed."""
    from recbole.trainer import Trainer

    from recbole_imn.data.dataset import StreamDataset

    _after(StreamDataset, "build", lambda dataset, parts: seen.update(log=of_log(dataset, parts)))
    _after(Trainer, "__init__", lambda trainer, _: seen.update(settings=of_settings(trainer)))


def _after(owner: Any, name: str, tell: Any) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def listened(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        tell(self, result)
        return result

    setattr(owner, name, listened)


def of_log(dataset: Any, parts: Any) -> dict[str, Any]:
    """Give events, items and rows in plain values."""
    if not dataset.has_global_time_split:
        return {}
    log, tokens = dataset.log, dataset.field2id_token
    users, items = tokens[dataset.uid_field], tokens[dataset.iid_field]
    actions = tokens.get("behavior") if log.behaviour.any() else None
    return {
        "user": [str(users[user]) for user in log.user],
        "item": [str(items[item]) for item in log.item],
        "time": log.time.tolist(),
        "purchase": log.purchase.tolist(),
        "behavior": None if actions is None else [str(actions[b]) for b in log.behaviour],
        "features": log.features.tolist(),
        "items": [str(item) for item in items[1:]],
        "item_features": dataset.item_features[1:].tolist(),
        "bounds": list(dataset.event_bounds),
        "rows": [part.inter_feat["event_index"].tolist() for part in parts],
        "histories": _histories(dataset, parts[-1], items) if dataset.with_histories else None,
    }


def _histories(dataset: Any, part: Any, items: Any) -> list[tuple[int, list[str]]]:
    """Give the histories of a few test rows, newest last, as the model sees them."""
    rows = part[list(range(min(8, len(part))))]
    lists = rows[dataset.item_id_list_field]
    lengths = rows[dataset.item_list_length_field]
    return [
        (int(event), [str(items[item]) for item in row[: int(length)]])
        for event, row, length in zip(rows["event_index"], lists, lengths, strict=True)
    ]


def of_settings(trainer: Any) -> dict[str, Any]:
    """Give the settings that a trainer works with, those of the network included."""
    config = trainer.config.final_config_dict
    found = {key: value for key, value in config.items() if isinstance(value, PLAIN)}
    network = getattr(trainer.model, "network", None)
    if network is not None:
        found["network"] = asdict(network.settings)
    return found

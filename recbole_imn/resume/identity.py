"""What makes a run the same run: everything that its figures depend on."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from recbole_imn.checkpoints.values import plain_config, weights_sum
from recbole_imn.model.build import find_parts
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.provenance import NOT_SHAPING, fingerprint, versions

PACKAGE = Path(__file__).parents[1]
# Epochs may grow, and eval_step is taken as RecBole's trainer limits it. What the data path
# leads to is known by its bytes.
NOT_OF_RUN = NOT_SHAPING | {"epochs", "eval_step"}
Identity = dict[str, Any]


def identity_of(trainer: Any) -> Identity:
    """Describe a run before it begins.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
        With the weights that training begins with.

    Returns
    -------
    dict
        Plain values: ``settings``, and ``data``, ``code``, ``weights`` (SHA-256), ``packages``
        and ``device``.

    Raises
    ------
    DataError
        If the log is not there any more.
    """
    config = trainer.config
    settings = plain_config(config)["final"]
    settings = {key: value for key, value in settings.items() if key not in NOT_OF_RUN}
    return {
        "settings": {**settings, "eval_step": trainer.eval_step},
        "data": fingerprint(Path(config["data_path"]), config["dataset"]),
        "code": _code((trainer.model.__class__, *_parts(config.final_config_dict))),
        "packages": versions(),
        "device": str(config["device"]),
        "weights": weights_sum(trainer.model.state_dict()),
    }


def run_id(identity: Identity) -> str:
    """Give 16 hexadecimal digits that name a run."""
    return hashlib.sha256(_canonical(identity).encode()).hexdigest()[:16]


def differences(now: Identity, then: Identity) -> str:
    """Say in which way a run is another than one that was stopped.

    Returns
    -------
    str
        Like ``learning_rate is 0.01, was 0.001``; at most three settings.
    """
    found = _changed(now["settings"], then.get("settings") or {})
    if not found:
        found = _changed(now["packages"], then.get("packages") or {})
        if now["device"] != then.get("device"):
            found.append(f"the device is {now['device']}, was {then.get('device')}")
        named = {"data": "the data has", "code": "the code of recbole_imn, the model or a part has"}
        found += [f"{what} changed" for key, what in named.items() if now[key] != then.get(key)]
    if not found:
        found = ["the model begins with other weights"]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{'; '.join(found[:3])}{more}"


def _changed(now: dict[str, Any], then: dict[str, Any]) -> list[str]:
    keys = sorted(now.keys() | then.keys(), key=str)
    return [
        f"{key} is {now.get(key)!r}, was {then.get(key)!r}"
        for key in keys
        if _canonical(now.get(key)) != _canonical(then.get(key))
    ]


def _canonical(value: Any) -> str:
    """Write plain values as text, the order of keys being nothing."""
    if isinstance(value, dict):
        entries = sorted((repr(key), _canonical(entry)) for key, entry in value.items())
        return repr(entries)
    if isinstance(value, list | tuple):
        return repr([_canonical(entry) for entry in value])
    return repr(value)


def _parts(settings: Mapping[str, Any]) -> list[type[Any]]:
    """Give the classes that a network is made of, of which some may be one's own."""
    if "resource_branch" not in settings:
        return []
    parts = find_parts(NetworkSettings.from_mapping(settings))
    branch = [] if parts.branch is None else [parts.branch]
    return [*branch, parts.fusion, *parts.terms.values(), *parts.sources.values()]


@cache
def _code(kinds: tuple[type[Any], ...]) -> str:
    """Hash the source of the package, and of classes and their bases that are defined elsewhere."""
    digest = hashlib.sha256()
    files = sorted(PACKAGE.rglob("*.py"))
    own = set()
    for kind in chain.from_iterable(kind.__mro__ for kind in kinds):
        if kind.__module__.partition(".")[0] not in ("builtins", "recbole", "recbole_imn", "torch"):
            # A class of a notebook has no file.
            with suppress(TypeError, OSError):
                own.add(Path(inspect.getfile(kind)))
    for file in [*files, *sorted(own)]:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()

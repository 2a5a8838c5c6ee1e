"""Protocols: settings of evaluation that belong together, under the name of who compares so.

The setting ``protocol`` chooses one, wherever settings come from: the command line of ``run``,
``benchmark``, a file or a program. It is put in place where RecBole's Config joins its settings
(run_checks.py), and there alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from recbole_imn import registry
from recbole_imn.errors import SettingsError
from recbole_imn.validation import shown


@dataclass(frozen=True)
class Protocol:
    """What an evaluation agrees upon.

    Attributes
    ----------
    name : str
    settings : mapping of str to object
        Settings that it fixes; ``eval_args`` completely.
    metric : str
        The metric that a report is led by, under its name in result files.
    label : str
        The same for people.
    with_validation : bool
        Whether ranks of the validation rows are kept and reported, beside those of the test.
    """

    name: str
    settings: Mapping[str, Any]
    metric: str
    label: str
    with_validation: bool = False


STANDARD = Protocol("standard", MappingProxyType({}), "ndcg@10", "NDCG@10")
# Cut 70/15/15 at quantiles of time, every event a row, the mean reciprocal rank among all
# destinations: py-tgb, linkproppred/dataset.py (generate_splits) and evaluate.py.
TGB = Protocol(
    "tgb",
    MappingProxyType(
        {
            "eval_args": {
                "split": {"RS": [0.7, 0.15, 0.15]},
                "order": "TO",
                "group_by": "none",
                "mode": "full",
            },
            "split_by": "times",
            "first_events": True,
            "candidates": "all",
            "metrics": ["Recall", "NDCG", "MRR", "FullMRR"],
            "valid_metric": "FullMRR",
        }
    ),
    "fullmrr",
    "MRR",
    with_validation=True,
)
PROTOCOLS = {protocol.name: protocol for protocol in (STANDARD, TGB)}


def protocol_of(settings: Mapping[str, Any]) -> Protocol:
    """Give the protocol that settings name; without a name it is the standard one.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    name = settings.get("protocol", STANDARD.name)
    if not isinstance(name, str) or name not in PROTOCOLS:
        raise SettingsError(f"protocol is {shown(name)}; it must be one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def put_in_place(settings: dict[str, Any], given: Mapping[str, Any], model: str) -> None:
    """Set what the protocol of some settings fixes.

    Parameters
    ----------
    settings : dict
        All of them, joined; changed in place.
    given : mapping
        Those that somebody asked for, without defaults.
    model : str

    Raises
    ------
    SettingsError
        As for :func:`protocol_of`, :func:`require_no_contradiction` and :func:`require_model`.
    """
    protocol = protocol_of(settings)
    require_no_contradiction(protocol, given)
    require_model(protocol, model)
    # The evaluation's own dict is completed in place by RecBole.
    settings.update({key: _copied(value) for key, value in protocol.settings.items()})


def require_no_contradiction(protocol: Protocol, given: Mapping[str, Any]) -> None:
    """Refuse settings that say something else than a protocol.

    Raises
    ------
    SettingsError
        With the setting, what it is and what the protocol makes of it, in one line.
    """
    for key, fixed in protocol.settings.items():
        if key not in given or _agree(given[key], fixed):
            continue
        raise SettingsError(
            f"protocol {protocol.name} sets {key} to {fixed!r}, but it is given as "
            f"{shown(given[key])}; leave one of them out"
        )


def can_be_asked(protocol: Protocol, model: str) -> bool:
    """Whether a model can score all rows of a protocol: not without a history, if it reads one."""
    return registry.is_ours(model) or not protocol.settings.get("first_events")


def require_model(protocol: Protocol, model: str) -> None:
    """Refuse a model that cannot be asked about all rows of a protocol.

    Raises
    ------
    SettingsError
        If users' first events are rows, and the model scores histories alone.
    """
    if not can_be_asked(protocol, model):
        raise SettingsError(
            f"protocol {protocol.name} counts users' first events, but {model} cannot score a "
            "user without a history; leave it out, or use a model of the stream"
        )


def _agree(given: object, fixed: object) -> bool:
    """Whether a given value, of ``eval_args`` perhaps only a part, is the fixed one."""
    if isinstance(given, Mapping) and isinstance(fixed, Mapping):
        return all(key in fixed and _agree(value, fixed[key]) for key, value in given.items())
    if isinstance(given, Mapping):
        # One mode for each part.
        return all(_agree(value, fixed) for value in given.values())
    if fixed == "none" and given in (None, "None"):
        return True
    return type(given) is type(fixed) and given == fixed


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(one) for key, one in value.items()}
    return list(value) if isinstance(value, list) else value

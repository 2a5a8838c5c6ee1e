"""Figures that others have published on a log that is told by its contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_imn.evaluation.protocols import TGB, Protocol
from recbole_imn.log import EventLog, Integers


@dataclass(frozen=True)
class Leaderboard:
    """Published figures under a protocol, on one log.

    Attributes
    ----------
    name : str
        As those who keep it call the log.
    source : str
        Address of the page.
    protocol : Protocol
    events, users, items : int
        By which the log is recognised, whatever its name.
    rows : tuple of (str, str, str)
        Method, figure on the test part and on the validation part; '-' where it is not known.
    remarks : tuple of str
        Where evaluation there and here differ, and what is in nobody's figures; sentences.
    """

    name: str
    source: str
    protocol: Protocol
    events: int
    users: int
    items: int
    rows: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...]


TGBL_WIKI = Leaderboard(
    name="tgbl-wiki-v2",
    source="https://tgb.complexdatalab.com/docs/leader_linkprop/#tgbl-wiki-v2",
    protocol=TGB,
    events=157_474,
    users=8_227,
    items=1_000,
    rows=(
        ("TPNet", "0.827", "0.842"),
        ("LocalGlobal recency and popularity heuristic", "0.821", "0.842"),
        ("HyperEvent", "0.810", "-"),
        ("DyGFormer", "0.798 ± 0.004", "0.816 ± 0.005"),
        ("NAT", "0.749 ± 0.010", "0.773 ± 0.011"),
        ("CAWN", "0.711 ± 0.006", "0.743 ± 0.004"),
        ("EdgeBank(tw)", "0.571", "0.600"),
        ("TGN", "0.396 ± 0.060", "0.435 ± 0.069"),
    ),
    remarks=(
        "Features: the log there has 172 numbers about the text of each edit, of which this one "
        "has none.",
        "Looked at before: validation and test figures of this same log were seen while parts of "
        "IMNNetPlus were chosen, cut 80/10/10, and of earlier versions under this protocol as "
        "well. Its test figure here is no blind one.",
    ),
)
LEADERBOARDS = (TGBL_WIKI,)


def leaderboard_of(protocol: Protocol, facts: Mapping[str, Any]) -> Leaderboard | None:
    """Find what is published under a protocol on the log of which these are the facts.

    Parameters
    ----------
    protocol : Protocol
    facts : mapping
        From :func:`log_facts`.
    """
    for board in LEADERBOARDS:
        size = (board.events, board.users, board.items, board.items)
        found = tuple(facts[name] for name in ("events", "users", "items", "catalogue"))
        if board.protocol == protocol and found == size:
            return board
    return None


def log_facts(log: EventLog, bounds: tuple[int, int, int, int]) -> dict[str, int]:
    """Count what tells a log, and what depends on how events of the same time are read.

    Parameters
    ----------
    log : EventLog
    bounds : tuple of int
        Start of training, of validation, of test, and the end.

    Returns
    -------
    dict of str to int
        ``events``, ``users`` and ``items`` with events, ``catalogue`` (items that are ranked);
        ``training``, ``validation`` and ``test`` events; of the test events ``after_same_time``
        (behind an earlier event of the same time, of anybody), ``after_own_same_time`` (of the
        same user) and ``own_other_items`` (whose user took another item at the same time).
    """
    _, validation, test, end = bounds
    users, items, times = log.user[:end], log.item[:end], log.time[:end]
    later = np.arange(end) >= test
    pairs, moments = _numbered(users, times), _numbered(times)
    return {
        "events": end,
        "users": len(np.unique(users)),
        "items": len(np.unique(items)),
        "catalogue": log.n_items - 1,
        "training": validation,
        "validation": test - validation,
        "test": end - test,
        "after_same_time": int((_repeats(moments) & later).sum()),
        "after_own_same_time": int((_repeats(pairs) & later).sum()),
        "own_other_items": int((_n_different(pairs, items)[pairs] > 1)[later].sum()),
    }


def _numbered(*columns: Any) -> Integers:
    """Give equal rows of columns the same number, int64 [n]."""
    table = np.stack([np.unique(column, return_inverse=True)[1] for column in columns], axis=1)
    numbers: Integers = np.unique(table, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def _repeats(numbers: Integers) -> Any:
    """Say what has been there before, bool [n]."""
    again = np.ones(len(numbers), np.bool_)
    again[np.unique(numbers, return_index=True)[1]] = False
    return again


def _n_different(groups: Integers, values: Any) -> Integers:
    """Count the different values of each group, int64 [n_groups]."""
    pairs = np.unique(np.stack([groups, values], axis=1), axis=0)
    counts: Integers = np.bincount(pairs[:, 0], minlength=int(groups.max(initial=-1)) + 1)
    return counts

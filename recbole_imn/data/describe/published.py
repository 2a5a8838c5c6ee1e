"""The paper's Table 2 (arXiv 2009.13249), beside which figures of its logs stand."""

from __future__ import annotations

from typing import Any

from recbole_imn.paper.figures import CZB as CZB_LOG
from recbole_imn.paper.figures import TABLE_2, log_of
from recbole_imn.paper.figures import TMALL as TMALL_LOG

_CZB, _TMALL = TABLE_2[CZB_LOG], TABLE_2[TMALL_LOG]
CZB = {
    "users": f"{_CZB.users:,}",
    "items": f"{_CZB.items:,}",
    "actions": f"{_CZB.actions:,}",
    "actions_per_user": f"{_CZB.actions_a_user} printed, {_CZB.actions / _CZB.users:.1f} computed",
    "actions_per_item": f"{_CZB.actions / _CZB.items:.1f} computed",
    "span": "2019-05-01 to 2019-10-31",
    "purchase_percent": f"{100 * _CZB.purchases:.2f}",
    "mean_price": _CZB.price,
}
TMALL = {
    "users": f"{_TMALL.users / 1e6:.2f} million",
    "items": f"{_TMALL.items / 1e6:.2f} million",
    "actions": f"{_TMALL.actions / 1e6:.1f} million",
    "actions_per_user": f"{_TMALL.actions / _TMALL.users:.1f} computed",
    "actions_per_item": f"{_TMALL.actions / _TMALL.items:.1f} computed",
}
NOTE = (
    "The published table contradicts itself: it prints 378 actions per user for CheZhiBao 2019, "
    "but its own 647,664 actions by 10,718 users are 60.4 each."
)
LABELS = {
    "users": "users",
    "items": "items",
    "actions": "actions",
    "actions_per_user": "actions per user",
    "actions_per_item": "actions per item",
    "span": "span",
    "purchase_percent": "purchases, % of actions",
    "mean_price": "mean price of an item",
}


def columns(name: str, is_simulated: bool) -> dict[str, dict[str, str]]:
    """Give the columns of Table 2 that stand beside a data set: none but of the paper's own logs.

    Parameters
    ----------
    name : str
        Of the data set.
    is_simulated : bool
        A market that is made after the published one.

    Returns
    -------
    dict of str to dict
        Heading, and figures by the keys of ``LABELS``.
    """
    log = log_of(name, is_simulated)
    return {
        title: figures
        for which, title, figures in (
            (CZB_LOG, "CheZhiBao 2019, published", CZB),
            (TMALL_LOG, "Tmall, published", TMALL),
        )
        if which == log
    }


def note(published: dict[str, dict[str, str]]) -> str:
    """Give what is to be known of the columns; empty where there is nothing."""
    return NOTE if CZB in published.values() else ""


def rows(size: dict[str, Any], published: dict[str, dict[str, str]]) -> list[tuple[str, ...]]:
    """Give the table's rows: label, ours, and the published figures where there are any."""
    return [
        (label, _ours(key, size), *(figures.get(key, "-") for figures in published.values()))
        for key, label in LABELS.items()
    ]


def _ours(key: str, size: dict[str, Any]) -> str:
    if key == "span":
        return f"{size['first_day']} to {size['last_day']}"
    value = size[key]
    if value is None:
        return "-"
    is_count = key in ("users", "items", "actions", "mean_price")
    digits = 0 if is_count else 2 if key == "purchase_percent" else 1
    return f"{value:,.{digits}f}"

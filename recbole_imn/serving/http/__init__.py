"""The recommender over HTTP, and a page to try it on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recbole_imn.serving.http.app import make_app
    from recbole_imn.serving.http.served import Served
    from recbole_imn.serving.http.settings import HttpSettings

__all__ = ["HttpSettings", "Served", "make_app"]
_PLACES = {"Served": "served", "HttpSettings": "settings", "make_app": "app"}


def __getattr__(name: str) -> Any:
    """Import on first use: the command line reads its options without the extra ``serve``."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)

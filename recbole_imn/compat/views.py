"""Views of modules: what a module of RecBole sees under a name, and nobody else."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any


class View(ModuleType):
    """A module with some names added or replaced, for those who are given the view.

    Parameters
    ----------
    module : module
        Everything else is looked up in it at every use.
    names : dict
    """

    def __init__(self, module: ModuleType, **names: Any) -> None:
        super().__init__(module.__name__, module.__doc__)
        vars(self).update(names, _viewed=module)

    def __getattr__(self, name: str) -> Any:
        """Give what the view does not replace."""
        return getattr(vars(self)["_viewed"], name)


def recbole_module(name: str) -> Any:
    """Import a module of RecBole by its name below ``recbole``."""
    return importlib.import_module(f"recbole.{name}")


def show(modules: Iterable[str], alias: str, **names: Any) -> None:
    """Let modules of RecBole see more names in what they have imported under an alias.

    Parameters
    ----------
    modules : iterable of str
        Names below ``recbole``.
    alias : str
        What they call the imported module, such as ``np``.
    names : dict
    """
    for name in modules:
        module = recbole_module(name)
        vars(module)[alias] = View(vars(module)[alias], **names)


def replace(original: Any, replacement: Any) -> None:
    """Put a function in the place of another in every module of RecBole that holds it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "recbole":
            for alias in [alias for alias, value in vars(module).items() if value is original]:
                vars(module)[alias] = replacement

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


def replace(original: Any, replacement: Any, everywhere: bool = False) -> None:
    """Put a function in the place of another, under whatever name modules hold it.

    Parameters
    ----------
    original, replacement : function
    everywhere : bool
        Not in modules of RecBole alone, but in those of this package and of whoever uses it.
    """
    for name, module in list(sys.modules.items()):
        if everywhere or name.partition(".")[0] == "recbole":
            # A program may keep there what is no module.
            held = getattr(module, "__dict__", {})
            for alias in [alias for alias, value in held.items() if value is original]:
                setattr(module, alias, replacement)

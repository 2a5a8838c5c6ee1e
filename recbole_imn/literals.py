"""Values that come as text, read as literals: nothing that a setting says is ever executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import recbole.config.configurator
import recbole.trainer.hyper_tuning as hyper_tuning

from recbole_imn.validation import listed_names

# More would be no setting, and could bring Python's parser down.
LONGEST = 100_000
DEEPEST = 50
_SIGNS = re.compile(rf"[-+~(\[{{\s]{{{DEEPEST}}}")
_WORDS = {"true": True, "false": False}


def read_literal(text: str) -> object:
    """Read a value as RecBole does, without its ``eval`` (config/configurator.py:131).

    Parameters
    ----------
    text : str

    Returns
    -------
    object
        A number, a text, True, False, None, or a list, tuple or dict of such; ``[a, b]`` is
        a list of names, as in yaml; the text itself if it is anything else, such as a bare word.
    """
    if names := listed_names(text):
        return names
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) > LONGEST or _is_deep(text):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value if value is None or isinstance(value, _ALLOWED) else text


_ALLOWED = (bool, int, float, str, list, tuple, dict)


def _is_deep(text: str) -> bool:
    """Whether a text nests deeper than any setting."""
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest > DEEPEST or _SIGNS.search(text) is not None


def plain(value: object) -> object:
    """Read text as a literal, and make numbers of numpy Python's own; the rest stays."""
    if isinstance(value, str):
        return read_literal(value)
    return value.item() if isinstance(value, np.generic) else value


def mend() -> None:
    """Let RecBole read settings and search spaces without executing them; safe to repeat.

    Source: ``Config._convert_config_dict`` (config/configurator.py:120) and
    ``HyperTuning._build_space_from_file`` (trainer/hyper_tuning.py:239).
    """
    recbole.config.configurator.Config._convert_config_dict = _convert
    # The only names there that are no attributes; eval is looked up in the module first.
    vars(hyper_tuning)["eval"] = _choices
    _name_hyperopt()


def _convert(self: Any, config_dict: dict[str, Any]) -> dict[str, Any]:
    for key in config_dict:
        config_dict[key] = plain(config_dict[key])
    return config_dict


def _choices(text: str) -> object:
    """Read the choices of a search space.

    Raises
    ------
    ValueError
        If they are no list of literals.
    """
    value = read_literal(text)
    if not isinstance(value, list | tuple):
        raise ValueError(f"a search space names the choices {text!r}; write a list of literals")
    return value


def _name_hyperopt() -> None:
    """Say in one line that hyperopt is missing, and what there is instead."""
    original: Callable[..., None] = hyper_tuning.HyperTuning.__init__

    @wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            original(self, *args, **kwargs)
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith("hyperopt"):
                raise
            raise ModuleNotFoundError(
                "HyperTuning needs the package hyperopt, which is not installed; install "
                "hyperopt==0.2.5, or use python -m recbole_imn tune",
                name=error.name,
            ) from error

    hyper_tuning.HyperTuning.__init__ = init

"""Mends of RecBole's checkpoints: plain values, read without executing code."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

from recbole_imn.checkpoints import (
    decode_parameter,
    encode_parameters,
    load_data_and_model,
    plain_config,
)
from recbole_imn.compat.views import recbole_module as _module


def safe_checkpoints() -> bool:
    """Save settings as plain values and load checkpoints without executing code."""
    trainer, models = _module("trainer.trainer"), _module("model.abstract_recommender")
    trainer.plain_config = plain_config
    trainer.encode_parameters = encode_parameters
    models.decode_parameter = decode_parameter
    config = ('"config": self.config,', '"config": plain_config(self.config),')
    other = (
        '"other_parameter": self.model.other_parameter(),',
        '"other_parameter": encode_parameters(self.model.other_parameter()),',
    )
    score = (
        '"best_valid_score": self.best_valid_score,',
        '"best_valid_score": float(self.best_valid_score),',
    )
    # Holds the learning rate, which may be a number of numpy.
    optimizer = (
        '"optimizer": self.optimizer.state_dict(),',
        '"optimizer": encode_parameters(self.optimizer.state_dict()),',
    )
    # The reader that executes nothing does not know pickle's protocol 4.
    protocol = (", pickle_protocol=4", "")
    _rewrite(trainer.Trainer, "_save_checkpoint", config, other, optimizer, score, protocol)
    _rewrite(trainer.PretrainTrainer, "save_pretrained_model", config, other, optimizer)
    _rewrite(trainer.DecisionTreeTrainer, "_save_checkpoint", config, score)
    _rewrite(
        models.AbstractRecommender,
        "load_other_parameter",
        ("setattr(self, key, value)", "setattr(self, key, decode_parameter(value))"),
    )
    quick_start = _module("quick_start.quick_start")
    quick_start.load_data_and_model = load_data_and_model
    _module("quick_start").load_data_and_model = load_data_and_model
    return True


def _rewrite(owner: Any, name: str, *pieces: tuple[str, str], times: int = 1) -> bool:
    """Replace pieces of a function's source, in place.

    Raises
    ------
    RuntimeError
        If a piece does not occur exactly ``times`` times.
    """
    function = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in pieces:
        if source.count(old) != times:
            raise RuntimeError(
                f"{function.__qualname__} has {source.count(old)} times {old!r} instead of "
                f"{times}; this recbole is not 1.2.1 as published"
            )
        source = source.replace(old, new)
    namespace: dict[str, Any] = {}
    exec(compile(source, inspect.getfile(function), "exec"), function.__globals__, namespace)
    setattr(owner, name, namespace[name])
    return True

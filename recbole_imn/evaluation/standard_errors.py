"""How far a metric of sampled rows may lie from that of all rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from logging import getLogger
from typing import Any

import numpy as np
import numpy.typing as npt
from recbole.evaluator import Evaluator
from recbole.evaluator.base_metric import TopkMetric


def mend() -> None:
    """Say the standard errors of an evaluation of ``eval_rows`` rows, beside its metrics.

    Sources: ``topk_result`` in evaluator/base_metric.py, ``evaluate`` in evaluator/evaluator.py.
    """
    at_cuts: Callable[..., dict[str, float]] = TopkMetric.topk_result
    evaluate: Callable[..., Any] = Evaluator.evaluate

    @wraps(at_cuts)
    def topk_result(self: Any, metric: str, value: npt.NDArray[Any]) -> dict[str, float]:
        self.standard_errors = standard_errors(metric, value, self.topk)
        self.n_rows = len(value)
        return at_cuts(self, metric, value)

    @wraps(evaluate)
    def evaluate_rows(self: Any, collected: Any) -> Any:
        result = evaluate(self, collected)
        metrics = [one for one in self.metric_class.values() if hasattr(one, "standard_errors")]
        # An evaluator may be made with a few settings alone.
        sampled = "eval_rows" in self.config and self.config["eval_rows"]
        if sampled and metrics:
            told = {name: error for one in metrics for name, error in one.standard_errors.items()}
            errors = ", ".join(f"{name} {error:.4f}" for name, error in told.items())
            getLogger().info(f"standard errors of {metrics[0].n_rows} rows: {errors}")
        return result

    TopkMetric.topk_result, Evaluator.evaluate = topk_result, evaluate_rows


def standard_errors(metric: str, values: npt.NDArray[Any], cuts: list[int]) -> dict[str, float]:
    """Give the standard error of a mean over rows, at some cuts.

    Parameters
    ----------
    metric : str
    values : float [n_rows, longest cut]
        Of each row, at each cut from 1 on.
    cuts : list of int
    """
    n = len(values)
    spread = np.std(values, axis=0, ddof=1) if n > 1 else np.full(values.shape[1], np.nan)
    return {f"{metric}@{k}": float(spread[k - 1]) / np.sqrt(n) for k in cuts}

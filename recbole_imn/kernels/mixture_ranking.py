"""The mixture's log probabilities for ranking: candidates' weights join the catalogue's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled


def add_mixture(scores: Tensor, items: Tensor, weights: Tensor) -> Tensor:
    """Add the weights of candidates to the density ratios of the catalogue, in place.

    Without gradients. The same item of the same row gets the same bits as from
    :func:`log_add_hits`.

    Parameters
    ----------
    scores : float [n, n_items]
        Log density ratios.
    items : int64 [n, n_slots]
        Candidates; 0 is an empty slot.
    weights : float [n, n_slots]
        Log weights, -inf for none; those of slots with the same item add up.

    Returns
    -------
    float [n, n_items]
        ``scores``.

    Raises
    ------
    IndexError
        If a candidate is none of the items.
    ValueError
        If there are other numbers of items, weights and rows of scores.
    """
    if not is_compiled(scores):
        return add_mixture_formula(scores, items, weights)
    changed = scores.detach().contiguous()
    _check_slots(scores, items, weights)
    given = array(items), array(weights.to(scores.dtype))
    places, stops, sums = _slots_of_items(*given, scores.shape[1])
    _add_groups(changed.view(-1).numpy(), places, stops, sums)
    return scores if changed.data_ptr() == scores.data_ptr() else scores.copy_(changed)


def add_mixture_formula(scores: Tensor, items: Tensor, weights: Tensor) -> Tensor:
    """Give :func:`add_mixture` as torch operations."""
    same = items.unsqueeze(2) == items.unsqueeze(1)
    totals = weights.unsqueeze(1).masked_fill(~same, -torch.inf).logsumexp(dim=2)
    return scores.scatter_(1, items, torch.logaddexp(scores.gather(1, items), totals))


def log_add_hits(scores: Tensor, items: Tensor, candidates: Tensor, weights: Tensor) -> Tensor:
    """Add the weights of candidates to the density ratio of one item a row.

    Without gradients.

    Parameters
    ----------
    scores : float [n]
        Log density ratios.
    items : int64 [n]
        The rows' items.
    candidates : int64 [n, n_slots]
        Candidates; 0 is an empty slot.
    weights : float [n, n_slots]
        Log weights, -inf for none.

    Returns
    -------
    float [n]
        New scores.

    Raises
    ------
    ValueError
        If there are other numbers of candidates, weights and scores.
    """
    if not is_compiled(scores):
        return log_add_hits_formula(scores, items, candidates, weights)
    _check_slots(scores, candidates, weights)
    if len(items) != len(scores):
        raise ValueError(f"there are {len(items)} items for {len(scores)} scores")
    out = scores.detach().clone(memory_format=torch.contiguous_format)
    given = array(items), array(candidates), array(weights.to(scores.dtype))
    _add_groups(out.numpy(), *_slots_of_hits(*given))
    return out


def log_add_hits_formula(
    scores: Tensor, items: Tensor, candidates: Tensor, weights: Tensor
) -> Tensor:
    """Give :func:`log_add_hits` as torch operations."""
    hits = candidates == items.unsqueeze(1)
    return torch.logaddexp(scores, weights.masked_fill(~hits, -torch.inf).logsumexp(dim=1))


def _check_slots(scores: Tensor, items: Tensor, weights: Tensor) -> None:
    if items.shape != weights.shape or len(items) != len(scores):
        raise ValueError(
            f"slots have items {list(items.shape)} and weights {list(weights.shape)}, "
            f"scores have {len(scores)} rows"
        )


@compiled
def _slots_of_items(items: Any, weights: Any, n_items: int) -> Any:
    """Group the slots of each row by item.

    Gives places in the flattened scores, where each one's weights stop, and the weights, in
    the order of slots.
    """
    n, n_slots = items.shape
    places, stops = np.empty(items.size, np.int64), np.empty(items.size, np.int64)
    sorted_weights = np.empty(items.size, weights.dtype)
    group_of = np.full(n_items, -1, np.int32)
    n_groups = n_weights = 0
    for i in range(n):
        first = n_groups
        for k in range(n_slots):
            item = items[i, k]
            if item < 0 or item >= n_items:
                raise IndexError("a candidate is none of the items")
            if weights[i, k] == -np.inf:
                continue
            if group_of[item] < 0:
                group_of[item] = n_groups - first
                places[n_groups], stops[n_groups] = i * n_items + item, 0
                n_groups += 1
            stops[first + group_of[item]] += 1
        # From sizes to starts; filling moves each to its stop.
        for group in range(first, n_groups):
            size = stops[group]
            stops[group] = n_weights
            n_weights += size
        for k in range(n_slots):
            if weights[i, k] != -np.inf:
                group = first + group_of[items[i, k]]
                sorted_weights[stops[group]] = weights[i, k]
                stops[group] += 1
        for group in range(first, n_groups):
            group_of[places[group] - i * n_items] = -1
    return places[:n_groups], stops[:n_groups], sorted_weights


@compiled
def _slots_of_hits(items: Any, candidates: Any, weights: Any) -> Any:
    """Give, for rows with hits, what :func:`_slots_of_items` gives."""
    n, n_slots = candidates.shape
    places, stops = np.empty(n, np.int64), np.empty(n, np.int64)
    hit_weights = np.empty(candidates.size, weights.dtype)
    n_groups = n_weights = 0
    for i in range(n):
        start = n_weights
        for k in range(n_slots):
            if candidates[i, k] == items[i] and weights[i, k] != -np.inf:
                hit_weights[n_weights] = weights[i, k]
                n_weights += 1
        if n_weights > start:
            places[n_groups], stops[n_groups] = i, n_weights
            n_groups += 1
    return places[:n_groups], stops[:n_groups], hit_weights


@compiled
def _add_groups(scores: Any, places: Any, stops: Any, weights: Any) -> None:
    """Add groups of log weights to log scores; one code for all that are ever added."""
    start = 0
    for group in range(len(places)):
        stop = stops[group]
        total = weights[start]
        if stop > start + 1:
            most = weights[start:stop].max()
            far = weights.dtype.type(0)
            for k in range(start, stop):
                far += math.exp(weights[k] - most)
            total = most + math.log(far)
        score = scores[places[group]]
        if score == total:
            scores[places[group]] = score + math.log(2.0)
        else:
            # What is no number stays none.
            large, small = (score, total) if score > total else (total, score)
            scores[places[group]] = large + math.log1p(math.exp(small - large))
        start = stop

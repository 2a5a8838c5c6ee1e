"""The mixture's loss as one pass over each row. Ranking is in its own file."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.kernels.in_parallel import threads_for
from recbole_imn.kernels.mixture_loops import mixture_loss_back, mixture_loss_of_rows
from recbole_imn.kernels.mixture_ranking import add_mixture, log_add_hits

__all__ = ["add_mixture", "log_add_hits", "mixture_loss", "mixture_loss_formula"]

# Stand for columns, cells, and positive cells that are not given.
NO_PLACES = (np.empty((0, 0), np.uint32), np.empty((0, 0), np.uint32), np.empty(0, np.uint32))


def mixture_loss(
    positive: Tensor,
    products: Tensor,
    columns: Tensor | None,
    shares: Tensor,
    own: Tensor,
    negatives: Tensor,
    weights: Tensor,
    hits: Tensor,
    table: Tensor | None = None,
    cells: Tensor | None = None,
    positive_cells: Tensor | None = None,
) -> Tensor:
    r"""Sum of the negative log probability of each row's item under the mixture.

    .. math::
        -\log \frac{e^{s^+} + \sum_{k \in hits} e^{w_k}}
        {e^{s^+} + \sum_j e^{s_j} + \sum_k e^{w_k}}

    Negatives stand for the rest of the catalogue (sampled softmax); candidates of the
    pointer are all there, so that their part of the sum is exact. Without slots it is the
    contrastive loss (21). Gradients go to ``positive``, ``products``, ``weights`` and
    ``table``.

    Parameters
    ----------
    positive : float [n]
        Log density ratio :math:`s^+` of the row's item.
    products : float [n, n_versions]
        Those of versions of the negatives.
    columns : int32 or int64 [n, n_negatives], optional
        For each row and negative, the column of ``products`` of the version it sees; the
        negative's own number by default.
    shares : float [n_negatives]
        Logarithm of how many items each negative stands for; -inf for none.
    own : int64 [n]
        The rows' items.
    negatives : int64 [n_negatives]
        The negatives; one that is the row's own item does not count for it.
    weights : float [n, n_slots]
        Log weights of the candidates; -inf for an empty slot.
    hits : bool [n, n_slots]
        Where a candidate is the row's item.
    table : float [n_cells], optional
        Log density ratios of items without any user, to be added to each score.
    cells : int32 [n, n_negatives], optional
        Cells of ``table`` of the negatives; with ``table`` only.
    positive_cells : int32 [n], optional
        Those of the rows' items; with ``table`` only.

    Returns
    -------
    float []

    Raises
    ------
    IndexError
        If a column or a cell does not exist.
    ValueError
        If shapes do not agree, or the table comes without cells, or they without it.
    """
    given = (positive, products, columns, shares, own, negatives, weights, hits)
    placed = (table, cells, positive_cells)
    if len({part is None for part in placed}) > 1:
        raise ValueError("table, cells and positive_cells come together or not at all")
    if not is_compiled(products):
        return mixture_loss_formula(*given, *placed)
    loss: Tensor = _MixtureLoss.apply(*given, *placed)  # type: ignore[no-untyped-call]
    return loss


def mixture_loss_formula(
    positive: Tensor,
    products: Tensor,
    columns: Tensor | None,
    shares: Tensor,
    own: Tensor,
    negatives: Tensor,
    weights: Tensor,
    hits: Tensor,
    table: Tensor | None = None,
    cells: Tensor | None = None,
    positive_cells: Tensor | None = None,
) -> Tensor:
    """Give :func:`mixture_loss` as torch operations."""
    scores = products if columns is None else products.gather(1, columns.long())
    scores = scores + shares
    if table is not None and cells is not None and positive_cells is not None:
        scores, positive = scores + table[cells.long()], positive + table[positive_cells.long()]
    scores = scores.masked_fill(own.unsqueeze(1) == negatives, -torch.inf)
    right = torch.cat([positive.unsqueeze(1), weights.masked_fill(~hits, -torch.inf)], dim=1)
    everything = torch.cat([positive.unsqueeze(1), scores, weights], dim=1)
    return (everything.logsumexp(dim=1) - right.logsumexp(dim=1)).sum()


class _MixtureLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        positive: Tensor,
        products: Tensor,
        columns: Tensor | None,
        shares: Tensor,
        own: Tensor,
        negatives: Tensor,
        weights: Tensor,
        hits: Tensor,
        table: Tensor | None,
        cells: Tensor | None,
        positive_cells: Tensor | None,
    ) -> Tensor:
        scores = array(products)
        given = (positive, shares.to(products.dtype), own, negatives, weights, hits)
        places = (columns, cells, positive_cells)
        ctx.places = [
            none if some is None else _unsigned(some)
            for some, none in zip(places, NO_PLACES, strict=True)
        ]
        ctx.chances = (
            np.empty((len(scores), len(negatives)), scores.dtype),
            np.empty(len(scores), scores.dtype),
            np.empty(weights.shape, scores.dtype),
        )
        values = np.empty(0, scores.dtype) if table is None else array(table)
        arrays: Any = (*map(array, given), values, *ctx.places, *ctx.chances)
        loss = mixture_loss_of_rows(threads_for(len(scores)), scores, *arrays)
        ctx.shape, ctx.n_cells = scores.shape, None if table is None else len(values)
        return torch.from_numpy(np.array(loss, scores.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        chances, of_positive, of_weights = ctx.chances
        of_products, factor = grad.new_empty(ctx.shape), array(grad)
        of_positive, of_weights = factor * of_positive, factor * of_weights
        of_table = np.empty(ctx.n_cells or 0, factor.dtype)
        arrays: Any = (*ctx.places, chances, of_positive, factor, of_products.numpy(), of_table)
        mixture_loss_back(threads_for(len(chances)), *arrays)
        to_table = None if ctx.n_cells is None else torch.from_numpy(of_table)
        return (
            torch.from_numpy(of_positive),
            of_products,
            *(None,) * 4,
            torch.from_numpy(of_weights),
            None,
            to_table,
            None,
            None,
        )


def _unsigned(places: Tensor) -> Any:
    """Give places that do not count from the end where they are negative."""
    numbers = array(places)
    return numbers.view(f"u{numbers.dtype.itemsize}")

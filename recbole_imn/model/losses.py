"""The parts of equation (22). Each sums over rows, so that every event weighs the same."""

from __future__ import annotations

import torch
from torch import Tensor

from recbole_imn.kernels.mixture import mixture_loss
from recbole_imn.model.learning import Learned, Learning, LossTerm
from recbole_imn.model.lessons import Lessons
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.terms.base import Rows
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.processes import own_share


def make_losses(settings: NetworkSettings) -> list[LossTerm]:
    """Give the parts of the loss that have a weight."""
    parts: list[LossTerm] = [
        PredictionLoss(settings.mse_weight),
        ContrastiveLoss(settings.nce_weight),
        Drift(settings.user_drift_weight, slot=0),
        Drift(settings.item_drift_weight, slot=1),
    ]
    return [part for part in parts if part.weight > 0]


class PredictionLoss:
    """Distances of predictions to items, equation (20).

    By default they are squared, and the target is detached: else the cheapest way to predict
    items is to make them alike.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, network: Learning, unrolled: Unrolled, learned: Learned) -> Tensor:
        """Sum over rows."""
        settings = network.settings
        if settings.takes_plain_squares:
            return learned.squares
        predicted = learned.rows.mapped.predicted
        target = learned.targets[:, -predicted.shape[1] :]
        target = target.detach() if settings.detached_targets else target
        return _sum_of_distances(predicted - target, settings.distance)


class ContrastiveLoss:
    """Negative log probability of the items among shared negatives, equations (19) and (21).

    Negatives are in their states before each event. What sources propose is there in full.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, network: Learning, unrolled: Unrolled, learned: Learned) -> Tensor:
        """Sum over rows."""
        lessons, rows = unrolled.window.lessons, learned.rows
        scores, all_products = _with_terms(network, lessons, learned)
        weights, hits = _pointed(network, rows, lessons.items)
        values = None if network.cell_term is None else network.cell_term.values
        # Those of a row's own are never the row's item; padding is none either.
        drawn = lessons.negatives
        shared = drawn if drawn.ndim == 1 else drawn.new_zeros(drawn.shape[1])
        loss: Tensor | None = None
        for part, products in zip(lessons.comparisons, all_products, strict=True):
            chosen = slice(part.start, part.stop)
            of_part = mixture_loss(
                scores[chosen],
                products,
                part.columns if drawn.ndim == 1 else None,
                lessons.log_shares,
                lessons.items[chosen],
                shared,
                weights[chosen],
                hits[chosen],
                values,
                part.cells,
                None if lessons.cells is None else lessons.cells[chosen],
            )
            loss = of_part if loss is None else loss + of_part
        return scores.new_zeros(()) if loss is None else loss


def _with_terms(
    network: Learning, lessons: Lessons, learned: Learned
) -> tuple[Tensor, list[Tensor]]:
    """Add further products to the log density ratios of the rows' items and of negatives."""
    rows, scores, all_products = learned.rows, learned.scores, learned.products
    sizes = [len(lessons.items), *(len(part.found) for part in lessons.comparisons)]
    for name, term in network.products.items():
        queries = term.queries(rows, rows.columns.looked[name])
        positive, *versions = learned.represented.split(sizes)
        scores = scores + (queries * term.items(lessons.items, positive)).sum(dim=1)
        all_products = [
            torch.addmm(products, queries[part.start : part.stop], term.items(part.found, some).t())
            for part, products, some in zip(
                lessons.comparisons, all_products, versions, strict=True
            )
        ]
    return scores, all_products


def _pointed(network: Learning, rows: Rows, items: Tensor) -> tuple[Tensor, Tensor]:
    """Give log weights of the candidates, and which are the rows' items, both [n, n_slots]."""
    if network.pointer is None:
        none = rows.mapped.values.new_zeros(len(items), 0)
        return none, none.bool()
    pointed = rows.columns.looked["pointer"]
    return network.pointer(pointed, rows.parts), pointed.items == items.unsqueeze(1)


def _sum_of_distances(differences: Tensor, distance: str) -> Tensor:
    """Sum the lengths of differences, float [n, width], or their squares."""
    if distance == "squared":
        return differences.square().sum()
    # Its gradient is 0 where the difference is.
    total: Tensor = torch.linalg.vector_norm(differences, dim=1).sum()
    return total


class Drift:
    """Changes of states, one of the last two terms of equation (22).

    Parameters
    ----------
    weight : float
    slot : int
        0 for users, 1 for items.
    """

    def __init__(self, weight: float, slot: int) -> None:
        self.weight, self.slot = weight, slot

    def __call__(self, network: Learning, unrolled: Unrolled, learned: Learned) -> Tensor:
        """Sum over events."""
        plan, states = unrolled.window.plan, unrolled.states
        events = slice(None) if unrolled.window.whole is None else own_share(plan.n_events)
        before, after = plan.levels.sources[events, self.slot], plan.after(self.slot)[events]
        width = network.settings.embedding_size
        change = states[after, :width] - states[before, :width]
        return _sum_of_distances(change, network.settings.distance)

"""Scores as sums of parts, each from its own place.

Equation numbers are those of the IMN-Net paper (arXiv 2009.13249).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from recbole_imn.log import Floats, Integers
from recbole_imn.model.contexts import ContextMaps
from recbole_imn.model.explaining.candidates import Candidates, find_candidates, no_candidates
from recbole_imn.model.explaining.contexts import contexts_apart
from recbole_imn.model.explaining.tastes import taste_apart
from recbole_imn.model.layers import bias_of
from recbole_imn.model.network import Network
from recbole_imn.model.terms import Rows, Taste
from recbole_imn.model.window import Window
from recbole_imn.past import Past
from recbole_imn.stream.products import affine

# The two halves of an item's representation.
ITEM_SIDES = ("item state", "static item")
ATTENDED, EVERYBODY = "latest items attended to", "everybody"
# Items that are represented together: bounds the memory for products.
CHUNK = 4096


@dataclass(frozen=True)
class ScoreParts:
    r"""Scores of some items for some rows, and what they are made of.

    .. math::
        s = \log\Big(e^{D} + \sum_k e^{w_k}\Big), \quad
        D = \sum \text{prediction} + \sum \text{density} + \sum_j \text{terms}_j

    All parts are as they enter the score, weights and scales of ranking included.

    Attributes
    ----------
    item : int64 [n, k]
    origins : tuple of str
        Where a part of the context comes from; the last one, 'everybody', is what is the same
        whoever asks.
    prediction : float64 [n, k, n_origins, 2]
        Minus the squared distance to the prediction (11), up to a constant of the row, or minus
        the distance where ranking takes that, by origin and side of the item
        (:data:`ITEM_SIDES`).
    density : float64 [n, k, n_origins, 2]
        The paper's log density ratio (13), likewise.
    terms : dict of str to float64 [n, k]
        Further summands by their names in the settings.
    taste : float64 [n, k, n_features, 3] or None
        The term 'taste' by numeric item feature and by whose it is
        (:data:`~recbole_imn.model.explaining.tastes.TASTE_ORIGINS`).
    sources : tuple of str
        Names of the sources of candidates.
    candidates : Candidates
        Which of them propose the items.
    mixture : float64 [n, k]
        What candidates add; 0 where nothing proposes the item.
    """

    item: Integers
    origins: tuple[str, ...]
    prediction: Floats
    density: Floats
    terms: dict[str, Floats]
    taste: Floats | None = None
    sources: tuple[str, ...] = ()
    candidates: Candidates = field(default_factory=no_candidates)
    mixture: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def before_mixture(self) -> Floats:
        """The score without candidates, D, float64 [n, k]."""
        paper: Floats = self.prediction.sum(axis=(2, 3)) + self.density.sum(axis=(2, 3))
        return paper + sum(self.terms.values(), np.zeros(paper.shape))

    @property
    def density_share(self) -> Floats:
        """Share of e^D in the mixture, float64 [n, k]; 1 where nothing proposes the item."""
        share: Floats = np.exp(-self.mixture)
        return share

    @property
    def score(self) -> Floats:
        """The scores, float64 [n, k], as ranking has them up to rounding."""
        return self.before_mixture + self.mixture


@torch.no_grad()
def parts_of_scores(network: Network, past: Past, window: Window, items: Integers) -> ScoreParts:
    """Take the scores of some items apart.

    Parameters
    ----------
    network : Network
        Its states are those at the window's start.
    past : Past
    window : Window
        Without events; its rows are those to be scored.
    items : int64 [n, k]

    Returns
    -------
    ScoreParts
    """
    unrolled = network.unroll(window)
    rows = network.contexts(unrolled)
    mse, nce = (network.ranking_weights / network.ranking_scales).double().unbind()
    apart = contexts_apart(network, unrolled, rows)
    nearest, compared = _mapped(network, apart, rows.attended)
    origins = (*apart, *([ATTENDED] if rows.attended is not None else []), EVERYBODY)
    chosen = torch.from_numpy(items).to(network.device)
    represented = _represent(network, chosen)
    density = nce * _products(compared, represented)
    prediction = mse * _nearness(network, nearest, represented)
    terms, taste = _terms(network, rows, chosen, represented, nce)
    if network.cell_term is not None:
        terms[_name_of_cells(network)] = _cells(network, past, window, chosen)
    parts = ScoreParts(
        items, origins, _array(prediction), _array(density), terms, taste,
        mixture=np.zeros(items.shape),
    )  # fmt: skip
    return (
        parts if network.pointer is None else _with_candidates(parts, network, past, rows, window)
    )


def _nearness(network: Network, nearest: Tensor, represented: Tensor) -> Tensor:
    """Take minus distances apart, float64 [n, k, n_origins, 2]."""
    width = network.maps.widths[0]
    target = represented.flatten(2).clone()
    # What is not predicted is no part of it, and 0 in what is expected.
    target[..., : target.shape[2] - width] = 0
    target = target.view_as(represented)
    if network.settings.distance == "squared":
        parts = 2 * _products(nearest, target)
        # The item's own length is the same for all who ask.
        parts[:, :, -1] -= target.square().sum(dim=3)
        return parts
    # -|p - x| = -(p - x) . (p - x) / |p - x|, and p is a sum.
    away = nearest.sum(dim=1).unflatten(1, (2, -1)).unsqueeze(1) - target
    length = away.square().sum(dim=(2, 3), keepdim=True).sqrt()
    direction = torch.where(length > 0, away / length, torch.zeros_like(away))
    parts = -_products(nearest, direction)
    parts[:, :, -1] += (target * direction).sum(dim=3)
    return parts


def _mapped(
    network: Network, apart: dict[str, Tensor], attended: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Map contexts origin by origin; float64 [n, n_origins, 2d] each, the constant last."""
    contexts = torch.stack(list(apart.values()), dim=1)
    n, n_origins, width = contexts.shape
    maps = network.maps
    found = []
    for number, (weight, bias) in enumerate(_maps(maps)):
        linear = affine(contexts.view(-1, width), weight).double().view(n, n_origins, -1)
        summands = [linear]
        if attended is not None:
            none = linear.new_zeros(n, 1, linear.shape[2])
            summands.append(attended.double().unsqueeze(1) if number else none)
        both = torch.cat([*summands, bias.double().expand(n, 1, -1)], dim=1)
        found.append(functional.pad(both, (maps.widths[1] - both.shape[2], 0)))
    predicted, compared = found
    return predicted, compared * torch.exp(-maps.log_temperature.double())


def _maps(maps: ContextMaps) -> list[tuple[Tensor, Tensor]]:
    """Give weight [2d, n_parts * d] and bias [2d] of both maps; 0 for one that learns nothing.

    A prediction of the static half alone has d of each.
    """
    weight, bias = maps.linear.weight, bias_of(maps.linear)
    found = []
    for column, width in zip(maps.columns, maps.widths, strict=True):
        if column < 0:
            found.append((weight.new_zeros(width, weight.shape[1]), weight.new_zeros(width)))
        else:
            found.append((weight[column : column + width], bias[column : column + width]))
    return found


def _represent(network: Network, items: Tensor) -> Tensor:
    """Give the two halves of items' representations, float64 [n, k, 2, d]."""
    ids, width = items.reshape(-1), network.settings.embedding_size
    halves = [torch.empty(0, 2, width, dtype=torch.float64, device=items.device)]
    for part in ids.split(CHUNK) if len(ids) else ():
        states = network.item_condition(network.states.items.read(part))
        halves.append(torch.stack([states, network.statics.item(part)], dim=1).double())
    return torch.cat(halves).view(*items.shape, 2, width)


def _products(queries: Tensor, represented: Tensor) -> Tensor:
    """Multiply [n, n_origins, 2d] by [n, k, 2, d], half by half: [n, k, n_origins, 2]."""
    halves = queries.unflatten(2, (2, -1)).unsqueeze(1)
    # Summed row by row: a product of matrices may round by how many there are.
    products: Tensor = (halves * represented.unsqueeze(2)).sum(dim=4)
    return products


def _terms(
    network: Network, rows: Rows, items: Tensor, represented: Tensor, nce: Tensor
) -> tuple[dict[str, Floats], Floats | None]:
    """Give further terms of the log density ratio, and the taste by feature."""
    terms: dict[str, Floats] = {}
    taste = None
    flat = represented.flatten(2).flatten(0, 1).float()
    for name, term in network.products.items():
        looked = rows.columns.looked[name]
        if isinstance(term, Taste):
            taste = _array(nce * taste_apart(term, rows, looked, items))
            terms[name] = taste.sum(axis=(2, 3))
            continue
        queries = term.queries(rows, looked).double()
        described = term.items(items.reshape(-1), flat).double().view(*items.shape, -1)
        terms[name] = _array(nce * (queries.unsqueeze(1) * described).sum(dim=2))
    return terms, taste


def _name_of_cells(network: Network) -> str:
    """Give the name that settings have for the term by cells: it is no product."""
    names = [name.replace(".", "_") for name in network.settings.terms]
    # A term that does not apply to the log is in neither place.
    own = type(network.cell_term).__name__.lower()
    left = [name for name in names if name not in network.products]
    return next((name for name in left if name.lower().endswith(own)), left[0])


def _cells(network: Network, past: Past, window: Window, items: Tensor) -> Floats:
    assert network.cell_term is not None
    n, k = items.shape
    facts = window.facts[np.repeat(np.arange(n), k)]
    return _array(network.cell_term.of_items(past, facts, items.reshape(-1))).reshape(n, k)


def _with_candidates(
    parts: ScoreParts, network: Network, past: Past, rows: Rows, window: Window
) -> ScoreParts:
    assert network.pointer is not None
    weights = network.calibrated(network.ask(rows))
    given = window.facts, parts.item, _array(weights), parts.before_mixture
    candidates, gain = find_candidates(network.pointer, past, *given)
    return ScoreParts(
        parts.item, parts.origins, parts.prediction, parts.density, parts.terms, parts.taste,
        network.pointer.names, candidates, gain,
    )  # fmt: skip


def _array(values: Tensor) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = values.double().cpu().numpy()
    return found

"""Contexts as sums of what comes from where."""

from __future__ import annotations

from functools import singledispatch

import torch
from torch import Tensor
from torch.nn import functional

from recbole_imn.model.fusion import Concatenation, Fusion, Gated, InterestAlone, Sum
from recbole_imn.model.network import Network
from recbole_imn.model.terms import Rows
from recbole_imn.model.unrolled import Unrolled

GENERAL, LIMITED = "general state", "limited state"
TOGETHER = "general and limited state"
STATIC_USER, PREVIOUS = "static user", "previous item"


def contexts_apart(network: Network, unrolled: Unrolled, rows: Rows) -> dict[str, Tensor]:
    """Give summands of the rows' contexts, by where they come from.

    Parameters
    ----------
    network : Network
    unrolled : Unrolled
    rows : Rows
        Those that the network made of it.

    Returns
    -------
    dict of str to float [n, n_parts * d]
        Their sum is ``rows.contexts``, up to rounding.
    """
    width, contexts = network.settings.embedding_size, rows.contexts
    parts = list(contexts.split(width, dim=1))
    apart: dict[str, list[Tensor]] = {}
    for name, states in _states_apart(network, unrolled, parts[:-3]).items():
        apart[name] = [*states, *(torch.zeros_like(part) for part in parts[-3:])]
    nothing = [torch.zeros_like(part) for part in parts]
    apart[STATIC_USER] = [*nothing[:-3], parts[-3], *nothing[-2:]]
    apart[PREVIOUS] = [*nothing[:-2], *parts[-2:]]
    return {name: torch.cat(pieces, dim=1) for name, pieces in apart.items()}


def _states_apart(
    network: Network, unrolled: Unrolled, conditioned: list[Tensor]
) -> dict[str, list[Tensor]]:
    """Give summands of the conditioned user states, each a list of float [n, d]."""
    fusion = network.fusion
    interest, resources = network.projected(unrolled)
    if isinstance(fusion, Concatenation):
        first, second = conditioned
        nothing = torch.zeros_like(first)
        return {GENERAL: [first, nothing], LIMITED: [nothing, second]}
    summands = summands_of(fusion, interest, resources)
    if summands is None or len(conditioned) != 1:
        return {TOGETHER: conditioned}
    return {
        name: [_in_proportion(part, sum(summands.values(), torch.zeros_like(part)), *conditioned)]
        for name, part in summands.items()
    }


def _in_proportion(part: Tensor, whole: Tensor, conditioned: Tensor) -> Tensor:
    """Scale a summand of the centred states as conditioning has scaled their sum."""
    length = whole.square().sum(dim=1, keepdim=True)
    scale = (whole * conditioned).sum(dim=1, keepdim=True) / length
    return part * torch.where(length > 0, scale, torch.zeros_like(scale))


@singledispatch
def summands_of(
    fusion: Fusion, interest: Tensor, resources: Tensor | None
) -> dict[str, Tensor] | None:
    """Give summands of the fused and centred states, or None where they are no sum.

    Parameters
    ----------
    fusion : Fusion
    interest, resources : float [n, d]
        General and limited state, projected; without a branch there is no second.

    Returns
    -------
    dict of str to float [n, d], or None
    """
    return None


@summands_of.register
def _of_interest(
    fusion: InterestAlone, interest: Tensor, resources: Tensor | None
) -> dict[str, Tensor]:
    return {GENERAL: interest - _centre(fusion, interest)}


@summands_of.register
def _of_sum(fusion: Sum, interest: Tensor, resources: Tensor | None) -> dict[str, Tensor]:
    assert resources is not None
    # The centre of a sum began as the sum of both centres, which are alike.
    half = _centre(fusion, interest) / 2
    return {GENERAL: interest - half, LIMITED: resources - half}


@summands_of.register
def _of_mean(fusion: Gated, interest: Tensor, resources: Tensor | None) -> dict[str, Tensor]:
    assert resources is not None
    gate = torch.sigmoid(
        functional.linear(
            torch.cat([interest, resources], dim=1),
            fusion.gate.linear.weight,
            fusion.gate.linear.bias,
        )
    )
    centre = _centre(fusion, interest)
    return {GENERAL: gate * (interest - centre), LIMITED: (1 - gate) * (resources - centre)}


def _centre(fusion: Fusion, like: Tensor) -> Tensor:
    centre = fusion.condition.centre
    return like.new_zeros(like.shape[1]) if centre is None else centre

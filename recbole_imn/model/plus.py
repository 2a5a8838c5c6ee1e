"""IMN-Net and what goes beyond the paper, as a RecBole model."""

from __future__ import annotations

from recbole_imn.model.extended import ExtendedNetwork
from recbole_imn.model.imnnet import IMNNet


class IMNNetPlus(IMNNet):
    """IMN-Net with a density ratio that points to the past and knows shelf and tastes.

    Every part has a switch: ``pointer``, ``pointer_neighbours``, ``freshness``,
    ``n_active_negatives``, ``taste`` and ``static_features``; see
    :class:`~recbole_imn.model.extended.ExtendedNetwork`.
    """

    network_class = ExtendedNetwork

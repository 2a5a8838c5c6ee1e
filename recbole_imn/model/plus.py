"""IMN-Net and what goes beyond the paper, as a RecBole model."""

from __future__ import annotations

from recbole_imn.model.imnnet import IMNNet


class IMNNetPlus(IMNNet):
    """IMN-Net with a density ratio that points to the past and knows shelf and tastes.

    Its property file names the parts: ``sources`` that propose items of the past, ``terms``
    of the log density ratio, ``n_active_negatives``, ``static_features`` and ``unseen_ids``.
    """

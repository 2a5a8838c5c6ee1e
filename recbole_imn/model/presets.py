"""The paper's variants of IMN-Net, each IMNNet with other settings (properties/model/)."""

from __future__ import annotations

from recbole_imn.model.imnnet import IMNNet


class IMN_MSE(IMNNet):
    """IMN-Net that predicts the next item only: no density ratio."""


class IMN_NCE(IMNNet):
    """IMN-Net that learns and ranks by the density ratio only: no prediction."""


class IMNNetStar(IMNNet):
    """IMN-Net*: no resource-limited state."""


class IMNNetLiteral(IMNNet):
    """IMN-Net to the letter of the paper, where its page differs from what was measured."""

"""The proportions of the mixture's parts in ranking, chosen by a metric after training."""

from recbole_imn.model.calibration.calibration import Calibration, Proportions, is_later

__all__ = ["Calibration", "Proportions", "is_later"]

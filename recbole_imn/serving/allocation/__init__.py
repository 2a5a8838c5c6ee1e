"""Lists of many users, made together from a stock that cannot be offered to everybody."""

from recbole_imn.serving.allocation.allocating import allocate
from recbole_imn.serving.allocation.calibration import calibrate, fit_temperature
from recbole_imn.serving.allocation.exposure import Exposure, exposure
from recbole_imn.serving.allocation.result import Allocation

__all__ = [
    "Allocation",
    "Exposure",
    "allocate",
    "calibrate",
    "exposure",
    "fit_temperature",
]

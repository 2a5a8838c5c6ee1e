"""A simulated used-car auction market in the shape of the CheZhiBao 2019 log.

A market, not a random table: dealers with tastes, money and stock look at the cars that a
display strategy shows them, choose by a logit, bid against each other, and are changed by
what they buy. Everything that it makes is called simulated.
"""

from recbole_imn.data.market.config import MarketConfig
from recbole_imn.data.market.files import read_config, refuse_real_log, write_market
from recbole_imn.data.market.report import statistics, statistics_table
from recbole_imn.data.market.simulation import MarketLog, simulate

__all__ = [
    "MarketConfig",
    "MarketLog",
    "read_config",
    "refuse_real_log",
    "simulate",
    "statistics",
    "statistics_table",
    "write_market",
]

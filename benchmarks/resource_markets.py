"""SIMULATED markets of known resource strength, and the folder of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recbole_imn.data.market import MarketConfig, simulate, write_market

STRENGTHS = (0.0, 0.5, 1.0, 2.0, 4.0)
SCALE = 0.05
MARKETS = 8
WEEK = 7 * 86_400.0


@dataclass(frozen=True)
class Market:
    """A simulated market in the shape of czb, of version 1.

    Attributes
    ----------
    scale : float
        Share of the full market.
    strength : float
        What scales the effect of money and stock on choices.
    seed : int
        Of the market, and of trainings on it.
    """

    scale: float
    strength: float
    seed: int

    @property
    def name(self) -> str:
        return f"simulated-strength{self.strength:g}-market{self.seed}"

    @property
    def config(self) -> MarketConfig:
        # The market of the earlier results, whose tastes are linear.
        market = MarketConfig.named("czb", self.seed, self.strength, version=1)
        return market.scaled(self.scale)

    def write(self, folder: Path) -> None:
        """Write its files into a folder of its name, unless they are there."""
        if not (folder / self.name).exists():
            write_market(simulate(self.config, progress=False), folder / self.name, self.name)

"""Every constant of the market, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

# Published figures of the CheZhiBao 2019 log (arXiv 2009.13249, Table 2 and text).
PUBLISHED = {
    "users": 10_718.0,
    "items": 40_820.0,
    "actions": 647_664.0,
    "purchase_percent": 2.42,
    "mean_price_cny": 150_000.0,
    "days": 184.0,
}
MINI_SCALE = 20_000 / 647_664

STRATEGIES = ("newest", "ending", "nearby", "matched", "mixed")
ALERT = "alert"
NO_STRATEGY = "none"


@dataclass(frozen=True)
class MarketConfig:
    """Constants of a market, chosen for plausibility and the published figures only.

    Attributes
    ----------
    seed : int
        Seed of all draws.
    resource_strength : float
        0..1. Scales what money and stock do to choices, and nothing else.
    n_users, n_cars, n_actions, purchase_share, n_days, mean_price
        The published size: users, cars, actions, trades per action, days, CNY.
    n_brands, n_types, n_cities : int
        Categories; popularity falls off like 1 / rank.
    n_looks, image_width : int
        Latent looks of a car, and the width of the image vector made from them.
    price_spread : float
        Standard deviation of the logarithm of prices; used cars run from 20k to 1M.
    brand_spread, type_spread : float
        Share of that spread explained by brand and by type.
    depreciation : float
        Fall of log price per year of age.
    dealer_share : float
        Users who resell; the others buy for themselves.
    activity_spread : float
        Standard deviation of log sessions per user: a few dealers make most actions.
    session_actions : float
        Mean actions of a session.
    shown : int
        Cars that a display shows, about two screens.
    alerted : int
        Users who are told of a new car; the keenest bids first.
    taste_scale : float
        Standard deviation of taste between cars, in units of the logit's noise.
    budget_width : float
        Width, in log price, of the band in which a user likes to buy.
    city_bonus : float
        Utility of a car in the home city: no transport.
    match_weight : float
        How well the 'matched' display knows a user's taste.
    rebid_share, return_share : float
        Chance that an action raises the bid on the car before, and that a session starts
        with the user's last car.
    price_pressure, saturation : float
        Utility lost when a price takes up all free capital, and when stock of the car's
        segment is full.
    stock_half : float
        Cars of a segment in stock at which half of the saturation is felt.
    dealer_capital, private_capital : float
        Median working capital in mean prices.
    capital_spread : float
        Standard deviation of log capital.
    resale_days : float
        Mean days until a dealer has sold a car on.
    resale_margin : float
        Gain of a sale as a share of the price paid.
    bid_level, bid_spread : float
        Mean and deviation of bids as a share of the price.
    reserve_level, reserve_spread : float
        The same for the seller's secret reserve. The level sets the share of trades.
    auction_days : int
        Longest auction; lengths are uniform from 1.
    relist_share, max_listings : float, int
        Chance that an unsold car comes back, and listings of a car at most.
    fall_through : float
        Wins that never become a trade.
    opening_days : float
        Days of listings that are on the shelf when the log begins.
    """

    seed: int = 1
    resource_strength: float = 1.0
    n_users: int = 10_718
    n_cars: int = 40_820
    n_actions: int = 647_664
    purchase_share: float = 0.0242
    n_days: int = 184
    mean_price: float = 150_000.0
    n_brands: int = 40
    n_types: int = 6
    n_cities: int = 30
    n_looks: int = 8
    image_width: int = 32
    price_spread: float = 0.7
    brand_spread: float = 0.45
    type_spread: float = 0.25
    depreciation: float = 0.08
    dealer_share: float = 0.85
    activity_spread: float = 1.3
    session_actions: float = 6.0
    shown: int = 40
    alerted: int = 12
    taste_scale: float = 0.7
    budget_width: float = 0.8
    city_bonus: float = 0.5
    match_weight: float = 0.7
    rebid_share: float = 0.04
    return_share: float = 0.05
    price_pressure: float = 2.0
    saturation: float = 2.5
    stock_half: float = 1.0
    dealer_capital: float = 3.0
    private_capital: float = 1.2
    capital_spread: float = 0.7
    resale_days: float = 21.0
    resale_margin: float = 0.06
    bid_level: float = 0.85
    bid_spread: float = 0.06
    reserve_level: float = 0.976
    reserve_spread: float = 0.06
    auction_days: int = 6
    relist_share: float = 0.5
    max_listings: int = 3
    fall_through: float = 0.08
    opening_days: float = 3.0

    def __post_init__(self) -> None:
        """Check what a user may set.

        Raises
        ------
        ValueError
            With the value and what it may be, in one line.
        """
        if not 0 <= self.resource_strength <= 1:
            raise ValueError(f"resource_strength is {self.resource_strength}; it must be in 0..1")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; it must be 0 or above")
        if self.n_users < 20 or self.n_cars < 4 * self.n_days // 10 or self.n_days < 10:
            raise ValueError(
                f"a market of {self.n_users} users, {self.n_cars} cars and {self.n_days} days is "
                "too small to be one"
            )

    @classmethod
    def named(cls, name: str, seed: int = 1, resource_strength: float = 1.0) -> MarketConfig:
        """Give the market ``czb`` (full size) or ``czb-mini`` (about 20,000 actions).

        Raises
        ------
        ValueError
            If there is no market of this name.
        """
        full = cls(seed=seed, resource_strength=resource_strength)
        if name == "czb":
            return full
        if name == "czb-mini":
            return full.scaled(MINI_SCALE)
        raise ValueError(f"there is no market {name!r}; there are 'czb' and 'czb-mini'")

    def scaled(self, scale: float) -> MarketConfig:
        """Give the same market with a share of the users, cars and actions.

        Raises
        ------
        ValueError
            If the scale is not above 0, or leaves too little.
        """
        if not 0 < scale <= 10:
            raise ValueError(f"scale is {scale}; it must be above 0 and at most 10")
        return replace(
            self,
            n_users=round(self.n_users * scale),
            n_cars=round(self.n_cars * scale),
            n_actions=round(self.n_actions * scale),
        )

    @property
    def n_trades(self) -> int:
        """Trades to be expected."""
        return round(self.n_actions * self.purchase_share)

    @property
    def n_session_bids(self) -> int:
        """Bids that are left for sessions, after wins, trades and first bids on cars."""
        wins = round(self.n_trades / (1 - self.fall_through))
        return self.n_actions - self.n_trades - wins - self.n_cars

"""Terms beside the paper's log density ratio, each a summand that scores items for rows."""

from recbole_imn.model.terms.base import CellTerm, ProductTerm, Rows, Term
from recbole_imn.model.terms.freshness import Freshness
from recbole_imn.model.terms.holdings import Holdings
from recbole_imn.model.terms.taste import Taste

TERMS: dict[str, type[Term]] = {"freshness": Freshness, "taste": Taste, "holdings": Holdings}

__all__ = [
    "TERMS",
    "CellTerm",
    "Freshness",
    "Holdings",
    "ProductTerm",
    "Rows",
    "Taste",
    "Term",
]

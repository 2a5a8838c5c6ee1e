"""Terms of the log density ratio, each a summand that scores items for rows."""

from recbole_imn.model.terms.base import CellTerm, ProductTerm, Rows, Term
from recbole_imn.model.terms.density import DensityRatio
from recbole_imn.model.terms.freshness import Freshness
from recbole_imn.model.terms.prediction import Prediction
from recbole_imn.model.terms.taste import Taste

TERMS: dict[str, type[Term]] = {"freshness": Freshness, "taste": Taste}

__all__ = [
    "TERMS",
    "CellTerm",
    "DensityRatio",
    "Freshness",
    "Prediction",
    "ProductTerm",
    "Rows",
    "Taste",
    "Term",
]

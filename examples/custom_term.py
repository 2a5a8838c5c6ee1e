"""A term of the log density ratio of one's own: ``python examples/custom_term.py``."""

from typing import Any

from torch import Tensor

from recbole_imn.model.layers import Affine
from recbole_imn.model.parts import Making
from recbole_imn.model.terms import ProductTerm, Rows


class LikeTheLast(ProductTerm):
    """Items that are like the user's last one, by how long ago he touched it."""

    def __init__(self, making: Making) -> None:
        super().__init__(making)
        self.width = making.width
        self.weight = Affine(2, 1)

    def queries(self, rows: Rows, looked: Any) -> Tensor:
        """Give the last item's static embedding, weighed by the time since then."""
        weight: Tensor = self.weight(rows.columns.since_user)
        return weight * rows.contexts[:, -self.width :]

    def items(self, ids: Tensor, represented: Tensor) -> Tensor:
        """Give the static embedding of each item, which comes after its state."""
        return represented[:, -self.width :]


TERMS = ["freshness", "taste", "custom_term.LikeTheLast"]
SETTINGS = {"terms": TERMS, "epochs": 1, "train_batch_size": 1024}

if __name__ == "__main__":
    # After recbole_imn, which mends it.
    from recbole.quick_start import run_recbole

    result = run_recbole(model="IMNNetPlus", dataset="czb-mini", config_dict=SETTINGS)
    print(result["test_result"])

"""A resource-limited state of one's own: ``python examples/custom_branch.py``."""

import torch
from torch import Tensor

from recbole_imn.model.branch import Branch
from recbole_imn.model.layers import Affine
from recbole_imn.model.parts import Making
from recbole_imn.model.statics import Statics
from recbole_imn.model.window import PurchaseColumns


class MoneyLeft(Branch):
    """What a purchase costs, and how long the buyer has earned since the one before."""

    def __init__(self, making: Making) -> None:
        super().__init__(making)
        # The price is one of the features of items that the data set's settings name; an
        # Affine is a linear layer whose rows know nothing of each other.
        self.spent = Affine(making.n_features + 2, self.cell.n_gates * self.width)

    def inputs(self, general: Tensor, purchases: PurchaseColumns, statics: Statics) -> Tensor:
        """Give what enters the update of each purchase, float [n, n_gates * d]."""
        told = [purchases.features, purchases.since_purchase]
        spent: Tensor = self.spent(torch.cat(told, dim=1))
        return spent


PARTS = {"resource_branch": "custom_branch.MoneyLeft", "item_features": ["price"]}
SETTINGS = {**PARTS, "epochs": 1, "train_batch_size": 1024}

if __name__ == "__main__":
    # After recbole_imn, which mends it.
    from recbole.quick_start import run_recbole

    result = run_recbole(model="IMNNetPlus", dataset="czb-mini", config_dict=SETTINGS)
    print(result["test_result"])

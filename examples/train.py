"""Train a model on a small SIMULATED market: ``python examples/train.py``."""

import recbole_imn  # noqa: F401, I001  (mends RecBole and registers everything; first of all)
from recbole.quick_start import run_recbole

SETTINGS = {"epochs": 3, "checkpoint_dir": "saved/examples", "show_progress": False}

if __name__ == "__main__":
    result = run_recbole(model="IMNNetPlus", dataset="czb-mini", config_dict=SETTINGS)
    print(result["test_result"])

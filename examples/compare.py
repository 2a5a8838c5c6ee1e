"""Two models on the same rows of a SIMULATED market: ``python examples/compare.py``."""

import recbole_imn  # noqa: F401, I001  (mends RecBole and registers everything; first of all)
from recbole.quick_start import run_recbole

SETTINGS = {"epochs": 1, "show_progress": False, "state": "WARNING"}

if __name__ == "__main__":
    for model in ("RecentHistory", "IMNNet"):
        result = run_recbole(model=model, dataset="czb-mini", config_dict=SETTINGS)
        print(model, result["test_result"])

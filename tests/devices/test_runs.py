"""Models train, are evaluated, saved and loaded on another device than the processor."""

import pytest
from recbole.quick_start import run_recbole

OWN = {"embedding_size": 8, "train_batch_size": 64}
PLAIN = {"train_neg_sample_args": None, "loss_type": "CE"}
RUNS = {
    "IMNNet": OWN,
    "IMNNetPlus": {**OWN, "pointer_neighbours": 2, "n_active_negatives": 8},
    "IMNNetLiteral": OWN,
    "SessionKNN": OWN,
    "RecentHistory": {},
    "LocalGlobal": {},
    "ESASRec": {},
    "SASRec": {**PLAIN, "hidden_size": 8, "inner_size": 8, "n_heads": 2, "n_layers": 1},
    "FPMC": {"embedding_size": 8},
}
SMALL = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp", "behavior", "purchase"]},
    "data_path": ".",
    "show_progress": False,
    "epochs": 1,
    "topk": [5],
    "metrics": ["Recall", "NDCG", "FullMRR", "ItemCoverage"],
    "valid_metric": "NDCG@5",
}


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True to a scalar")
@pytest.mark.parametrize("model", RUNS)
def test_a_run_gives_what_it_gives_on_the_processor(model: str, toy, request) -> None:
    settings = {**SMALL, **RUNS[model]}
    here = run_recbole(model=model, dataset="toy", config_dict=dict(settings), saved=True)
    request.getfixturevalue("moved")
    there = run_recbole(model=model, dataset="toy", config_dict=dict(settings), saved=True)
    for part in ("best_valid_result", "test_result"):
        assert dict(there[part]) == pytest.approx(dict(here[part]), abs=0.02)

"""Models train, are evaluated, saved and loaded on another device than the processor."""

import copy

import pytest
from recbole.quick_start import run_recbole

from recbole_imn.evaluation.ranks import recorded_trainers

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
    "LambdaRank": {},
    "SASRec": {**PLAIN, "hidden_size": 8, "inner_size": 8, "n_heads": 2, "n_layers": 1},
    "FPMC": {"embedding_size": 8},
}
WAYS = {
    "sampled candidates": {"eval_args": {"mode": {"valid": "uni10", "test": "uni10"}}},
    "states of half the size": {"state_precision": "float16"},
    "tables by rows": {"table_learner": "row_adam"},
    "weights that move": {"online_updates": True},
    "some rows": {"eval_rows": 20},
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


@pytest.fixture(autouse=True)
def quiet(recwarn) -> None:
    """torch takes our other device for one without values, and says so."""


def run(model: str, **settings) -> dict:
    """Give the figures of a run, and the losses of its epochs."""
    # RecBole changes what it is given.
    given = copy.deepcopy({**SMALL, **settings})
    with recorded_trainers() as trainers:
        figures = run_recbole(model=model, dataset="toy", config_dict=given)
    return {**figures, "losses": trainers[-1][0].train_loss_dict}


def assert_alike(there: dict, here: dict) -> None:
    """Compare figures of some 30 rows, of which rounding may let one change its place."""
    assert there["losses"] == pytest.approx(here["losses"], rel=1e-4)
    for part in ("best_valid_result", "test_result"):
        assert dict(there[part]) == pytest.approx(dict(here[part]), abs=0.04)


@pytest.mark.parametrize("model", RUNS)
def test_a_model_gives_what_it_gives_on_the_processor(model: str, toy, request) -> None:
    here = run(model, **RUNS[model])
    request.getfixturevalue("moved")
    assert_alike(run(model, **RUNS[model]), here)


@pytest.mark.parametrize("way", WAYS)
def test_so_does_every_way_to_train_and_to_rank(way: str, toy, request) -> None:
    settings = {**RUNS["IMNNetPlus"], **WAYS[way]}
    here = run("IMNNetPlus", **settings)
    request.getfixturevalue("moved")
    assert_alike(run("IMNNetPlus", **settings), here)

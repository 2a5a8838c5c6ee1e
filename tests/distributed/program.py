"""A program for one process or several: trains toys, and writes what came of them as JSON."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import torch

warnings.simplefilter("ignore")
torch.set_num_threads(1)

import recbole_imn  # noqa: E402, F401  (mends RecBole before anything imports it)

# isort: split
from recbole.quick_start import quick_start, run_recbole  # noqa: E402

from recbole_imn.checkpoints import load_checkpoint  # noqa: E402
from recbole_imn.distributed.ending import stop_watching  # noqa: E402
from recbole_imn.errors import DifferentWeightsError, SettingsError  # noqa: E402
from recbole_imn.evaluation.ranks import recorded_trainers  # noqa: E402
from recbole_imn.model import learning, sharing  # noqa: E402
from recbole_imn.processes import group  # noqa: E402
from recbole_imn.processes.group import leave  # noqa: E402

TOY = {
    "data_path": ".",
    "event_stream": True,
    "show_progress": False,
    "use_gpu": False,
    "gpu_id": "",
    "train_batch_size": 35,
    "eval_batch_size": 7,
    "metrics": ["Recall", "NDCG", "MRR", "FullMRR", "ItemCoverage"],
    "topk": [3, 5],
    "valid_metric": "NDCG@5",
    "metric_decimal_place": 9,
    "epochs": 2,
}
OWN = {"embedding_size": 8, "train_batch_size": 64}
PLAIN = {"train_neg_sample_args": None, "loss_type": "CE", "learning_rate": 0.01}
RUNS = {
    "IMNNet": {**OWN},
    "IMNNetPlus": {**OWN, "pointer_neighbours": 2, "n_active_negatives": 8},
    "JODIE": {**OWN, "epochs": 1},
    "IMN_NCE": {**OWN, "epochs": 1},
    "IMN_MSE": {**OWN, "epochs": 1},
    "GRU4Rec": {**PLAIN, "embedding_size": 8, "hidden_size": 8, "dropout_prob": 0.3},
    "SASRec": {**PLAIN, "hidden_size": 8, "inner_size": 8, "n_heads": 2, "n_layers": 1},
    # Pairs of items, the second of which is drawn.
    "FPMC": {"embedding_size": 8},
}
# Runs that are stopped, and gone on with.
STOPPED = {
    "GRU4Rec": {**RUNS["GRU4Rec"], "seed": 3},
    "IMNNet": {**RUNS["IMNNet"], "seed": 3, "table_learner": "row_adam"},
    "IMNNetPlus": {**RUNS["IMNNetPlus"], "seed": 3, "average_share": 0.5},
}
# Of these, processes can have the tables of ids in common.
IN_COMMON = ("IMNNet", "IMNNetPlus")
# Settings that several processes refuse, and a word of the line that says so.
REFUSED = {
    "online_updates": ("IMNNet", {**OWN, "online_updates": True}),
    "is no mean over the rows": ("BERT4Rec", {**PLAIN, "hidden_size": 8, "inner_size": 8}),
    "statistics of a batch": ("DIN", {"embedding_size": 8, "mlp_hidden_size": [8]}),
    "own way to several processes": ("IMNNet", {**OWN, "local_rank": 0, "nproc": 2, "world_size": 2,
                                        "offset": 0, "ip": "localhost", "port": "1"}),
}  # fmt: skip


def count_shared_windows() -> list[int]:
    """Let the number of windows of which this process had a part be counted from now on."""
    count, original = [0], learning.loss_of_parts

    def counted(*given):
        count[0] += 1
        return original(*given)

    learning.loss_of_parts = counted
    return count


def run(model: str, **settings) -> dict:
    """Train and test, and give figures, ranks and the size of each weight."""
    with recorded_trainers() as trainers:
        result = run_recbole(model, "toy", config_dict={**TOY, **settings})
    trainer, recorder = trainers[-1]
    recorder.join()
    weights = load_checkpoint(trainer.saved_model_file)["state_dict"]
    return {
        "valid": {key: float(value) for key, value in result["best_valid_result"].items()},
        "test": {key: float(value) for key, value in result["test_result"].items()},
        "ranks": recorder.table()[["event_index", "rank"]].to_numpy().tolist(),
        "weights": {
            name: weight.double().flatten().tolist()
            for name, weight in weights.items()
            if weight.numel() < 2000
        },
    }


def resumed(model: str, **settings) -> dict:
    """Stop a run inside its second epoch, and go on with it."""
    original, stopped, stop_at = quick_start.get_trainer, False, 7

    def stopping(*names):
        def make(config, model):
            trainer = original(*names)(config, model)
            loss, calls = model.calculate_loss, [0]

            def calculate_loss(batch):
                calls[0] += 1
                if calls[0] == stop_at:
                    raise KeyboardInterrupt
                return loss(batch)

            model.calculate_loss = calculate_loss
            return trainer

        return make

    settings["resume_minutes"] = 1e-9
    quick_start.get_trainer = stopping
    try:
        run(model, **settings)
    except KeyboardInterrupt:
        stopped = True
    finally:
        quick_start.get_trainer = original
    return {**run(model, **settings, resume=True), "stopped": stopped}


def refusals() -> dict:
    """Give the line that each setting is refused by."""
    lines = {}
    for word, (model, settings) in REFUSED.items():
        try:
            run(model, **settings)
        except (SettingsError, DifferentWeightsError) as error:
            lines[word] = str(error)
    return lines


def main() -> None:
    # By its rule, as small a window is not shared.
    count, found = count_shared_windows(), {}
    found["not shared"] = {**run("IMNNet", **RUNS["IMNNet"]), "shared": count[0]}
    sharing.FEWEST_ROWS = sharing.FEWEST_PAIRS = 0
    for model, settings in RUNS.items():
        before = count[0]
        found[model] = run(model, **settings)
        found[model]["shared"] = count[0] - before
    for model, settings in STOPPED.items():
        found[f"{model}, seed 3"] = run(model, **settings)
    if group().is_several:
        for model, settings in STOPPED.items():
            found[f"{model}, resumed"] = resumed(model, **settings)
        for model in IN_COMMON:
            settings = {**STOPPED[model], "share_tables": True}
            found[f"{model}, in common"] = run(model, **settings)
            found[f"{model}, in common, resumed"] = resumed(model, **settings)
        found["refusals"] = refusals()
    found["size"] = group().size
    if group().writes:
        Path(sys.argv[1]).write_text(json.dumps(found))
    stop_watching()
    leave()


if __name__ == "__main__":
    main()

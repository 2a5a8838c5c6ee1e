"""Cases of settings: values in yaml files, in config_dict and on the command line."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from fuzzing.case import Case, Expectation, Result
from fuzzing.logs import NAME, SMALL, good_log

EVIL = "__import__('os').system('touch PWNED')"
# Values of a setting that are right, and what they mean.
GOOD: dict[str, tuple[Any, ...]] = {
    "embedding_size": (4, 8, 12),
    "mse_weight": (0.5, 1, 2.0),
    "nce_weight": (1, 0.25),
    "user_drift_weight": (0.0, 0.1),
    "item_drift_weight": (0, 1e-3),
    "n_negatives": (1, 5, 127),
    "temperature": (0.1, 1, 2.5),
    "learned_temperature": (True, False),
    "distance": ("squared", "euclidean"),
    "detached_targets": (True, False),
    "elapsed_origin": ("mean", "zero"),
    "shared_projection": (True, False),
    "event_input": ("own", "previous"),
    "biases": (True, False),
    "cell": ("sigmoid", "tanh", "gru", "lstm", "self_attention"),
    "resource_branch": ("simplified", "none"),
    "fusion": ("sum", "concat", "product", "gate"),
    "static_geometry": ("unit", "free"),
    "conditioning": ("unit", "none"),
    "positive_state": ("before", "after"),
    "context_start": ("identity", "random"),
    "elapsed_scale": ("log", "linear"),
    "sources": (
        [],
        ["own_items", "co_visited"],
        ["co_visited"],
        ["own_items", "successors"],
        ["predecessors"],
    ),
    "terms": ([], ["freshness"], ["taste", "freshness"]),
    "pointer_neighbours": (1, 2, 10),
    "purchase_reach": (0, 1, 4),
    "unseen_ids": ("random", "learned"),
    "static_features": (True, False),
    "n_active_negatives": (0, 3, 512),
    "learning_rate": (0.001, 1e-05),
    "table_learning_rate": (0.01, 1e-4),
    "pointer_learning_rate": (0.01, None),
    "average_share": (0.0, 0.33, 2.0),
    "train_batch_size": (1, 16, 4096),
    "eval_batch_size": (1, 16, 4096),
    "ranking_chunk_size": (1, 7, 256),
    "weight_decay": (0.0, 0.1),
    "learner": ("adam", "sgd", "rmsprop"),
    "eval_step": (1, 2),
    "seed": (0, 2020),
    "topk": ([5], [1, 5], [2, 3]),
    "metrics": (["NDCG"], ["Recall", "NDCG", "MRR"], ["Hit", "NDCG", "Precision"]),
    "first_events": (True, False),
    "split_by": ("events", "times"),
    "metric_decimal_place": (2, 6),
    "stopping_step": (1, 3),
    "MAX_ITEM_LIST_LENGTH": (1, 3, 50),
    "seq_len": (None,),
    "loss_decimal_place": (2, 6),
    "repeatable": (True,),
    "checkpoint_dir": ("kept", "a b", "sub/folder"),
}
# Settings that RecBole itself has, and must work or be refused in one line.
HOST = {
    "metrics": (
        *(["ItemCoverage", "NDCG"], ["GiniIndex", "NDCG"], ["ShannonEntropy", "NDCG"]),
        *(["TailPercentage", "NDCG"], ["AveragePopularity", "NDCG"], ["GAUC", "NDCG"]),
        *(["AUC", "NDCG"], ["AUC"], ["LogLoss", "NDCG"], ["MAP", "NDCG"], ["RMSE", "MAE"]),
    ),
    "eval_args": (
        *({"mode": "uni10"}, {"mode": "pop10"}, {"mode": {"valid": "uni5", "test": "full"}}),
        *({"order": "RO"}, {"group_by": "user"}, {"split": {"LS": "valid_and_test"}}),
        *({"split": {"LS": "test_only"}}, {"split": {"RS": [8, 1, 1]}}, {"mode": "labeled"}),
    ),
    "repeatable": (False,),
    "rm_dup_inter": ("first", "last"),
    "user_inter_num_interval": ("[2,inf)", "[0,3]", "(1000,inf)", "[5,inf)"),
    "item_inter_num_interval": ("[3,inf)", "[0,1]"),
    "val_interval": ({"timestamp": "[0,inf)"}, {"timestamp": "[0,1]"}, {"price": "[0,10]"}),
    "normalize_all": (True, False),
    "normalize_field": (["timestamp"], ["price"]),
    "threshold": ({"price": 5}, {"purchase": 1}),
    "unload_col": ({"inter": ["price"]}, {"inter": ["timestamp"]}),
    "unused_col": ({"inter": ["price"]}, {"inter": ["timestamp"]}),
    "alias_of_item_id": (["item_id"], ["nothing"]),
    "preload_weight": ({"item_id": "nothing"},),
    "additional_feat_suffix": (["kg"],),
    "discretization": ({"price": {"method": "ED", "bucket": 5}}, {"price": {"method": "LD"}}),
    "save_dataset": (True,),
    "save_dataloaders": (True,),
    "benchmark_filename": (["x", "y", "z"],),
    "log_wandb": (True,),
    "worker": (1,),
    "enable_scaler": (True,),
    "clip_grad_norm": ({"max_norm": 1.0},),
    "learner": ("adagrad", "sparse_adam"),
    "train_neg_sample_args": (None, {"distribution": "popularity", "sample_num": 1}),
    "candidates": ("on_shelf",),
    "protocol": ("standard", "tgb"),
    "valid_metric": ("MRR@5", "Recall@5", "NDCG"),
    "learning_rate": (1e6, 1e3),
    "numerical_features": (["price"],),
    "selected_features": (["brand"], ["price"], []),
    "inventory_features": (["price"],),
    "resource_branch": ("full",),
    "online_updates": (True,),
    "n_heads": (3, 0, "x"),
    "n_layers": (0, 1, 3, "x"),
    "hidden_size": (0, 7, "x", 8.5),
    "hidden_dropout_prob": (2, "x", -1),
    "hidden_act": ("nothing", 7),
    "loss_type": ("nothing", 7, "MSE"),
}
HOST_MODELS = (
    *("IMNNetPlus", "IMNNet", "JODIE", "RecentHistory", "SASRec", "GRU4Rec", "FPMC", "NextItNet"),
    *("SASRecF", "GRU4RecF", "S3Rec", "KSR", "GRU4RecKG", "FEARec", "BERT4Rec", "SASRec", "SINE"),
    *("DIEN", "DIN", "FDSA", "LightSANs", "CORE", "SHAN", "HGN", "Caser", "SRGNN", "GCSAN", "NPE"),
    *("TransRec", "RepeatNet", "STAMP", "NARM", "HRM", "KSR", "FOSSIL", "LightGCN", "KD_DAGFM"),
)
NUMBERS = ("abc", "1/0", "9**9**9", EVIL, None, [1], {"a": 1}, "1,5", "", "nan", "inf", True)
WHOLE = (*NUMBERS, 1.5, -1, "1.5", 1e30)
CHOICE = ("nothing", 1, True, None, ["unit"], "", EVIL, "Sum", "gru ")
SWITCH = ("yes please", "maybe", 2, None, [], "1", "tru", EVIL, 1.0, {"a": 1})
# Values of a setting that cannot be.
BAD: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("embedding_size", "n_negatives", "pointer_neighbours"), (*WHOLE, 0)),
    **dict.fromkeys(("purchase_reach", "n_active_negatives"), WHOLE),
    **dict.fromkeys(("train_batch_size", "eval_batch_size", "ranking_chunk_size"), (*WHOLE, 0)),
    **dict.fromkeys(("mse_weight", "nce_weight"), (*NUMBERS, -1, float("nan"), float("inf"))),
    **dict.fromkeys(("temperature", "learning_rate"), (*NUMBERS, -1, 0, float("inf"))),
    **dict.fromkeys(("user_drift_weight", "item_drift_weight"), (*NUMBERS, -0.1)),
    **dict.fromkeys(("cell", "resource_branch", "fusion", "static_geometry"), CHOICE),
    **dict.fromkeys(("conditioning", "positive_state", "context_start"), CHOICE),
    **dict.fromkeys(("elapsed_scale", "unseen_ids", "split_by", "protocol"), CHOICE),
    **dict.fromkeys(("sources", "terms"), (7, {"a": 1}, [7], [None], ["nothing"], [EVIL], [""])),
    "id_dropout": (*NUMBERS, -0.1, 1, 1.5),
    **dict.fromkeys(("distance", "prediction_target", "negatives", "elapsed_origin"), CHOICE),
    "event_input": CHOICE,
    **dict.fromkeys(("detached_targets", "learned_temperature", "biases"), SWITCH),
    **dict.fromkeys(("first_events", "static_features", "shared_projection"), SWITCH),
    **dict.fromkeys(("online_updates", "search_ranking_weights", "calibrate"), SWITCH),
    "epochs": ("many", 1.5, -3, [1], EVIL, {"a": 1}, True, "1/0"),
    "seed": ("x", 1.5, [1], EVIL, {"a": 1}),
    "topk": ("all", [0], [-1], [], [1.5], ["5"], {"k": 5}, None, [[5]], 1e9, [5, "x"], EVIL),
    "metrics": (["NDGC"], "nothing", [1], 7, {"a": 1}, [None], [], EVIL),
    "valid_metric": ("NDCG", "NDCG@7", 7, [], None, "@5", "NDCG@", "Recal@5", "NDCG@5@5", EVIL),
    "eval_args": (
        *(7, "TO", [], {"split": 7}, {"split": {"RS": "x"}}, {"split": {"RS": [0.8]}}),
        *({"split": {"RS": [1, 0, 0]}}, {"split": {"RS": [-1, 1, 1]}}, {"order": "XX"}),
        *({"mode": "fulll"}, {"mode": 7}, {"group_by": 7}, {"splitt": {}}, {"split": {"XX": [1]}}),
        *({"order": "RO"}, {"mode": "labeled"}, {"mode": "uniX"}, {"split": {"RS": [0, 0, 0]}}),
        {"split": {"RS": [float("nan"), 1, 1]}},
    ),
    "load_col": (
        7,
        [],
        "inter",
        {"inter": "user_id"},
        {"inter": 7},
        {"intr": ["user_id"]},
        {"inter": None},
    ),
    "event_features": (7, {"a": 1}, [7], "nothing", [None], [["price"]]),
    "item_features": (7, {"a": 1}, [7], "nothing", [None], [["brand"]]),
    "candidates": ("shelf", 7, True, ["all"]),
    "learner": ("adamm", 7, ["adam"]),
    "data_path": (7, ["data"], {"a": 1}),
    "USER_ID_FIELD": ("nobody", 7, ["user_id"]),
    "TIME_FIELD": ("never", 7, ""),
    "MAX_ITEM_LIST_LENGTH": (0, -1, "x", 1.5, [5]),
    "field_separator": (",", 7, "", "::"),
    "seq_separator": (7, ""),
    "user_inter_num_interval": ("[3,x)", "3", [3], "[1000,inf)", "(,)", 7, EVIL),
    "val_interval": ({"timestamp": "[9,1]"}, "x", {"nothing": "[0,1]"}, 7, {"timestamp": 7}),
    "rm_dup_inter": ("middle", 7, True),
    "normalize_field": (["nothing"], 7, "x"),
    "benchmark_filename": (["a", "b"], "x", 7),
    "train_neg_sample_args": ({"distribution": "uniform", "sample_num": 2}, 7, "x"),
    "checkpoint_dir": (7, ["saved"]),
    "shuffle": (True, "x"),
    "enable_amp": (True,),
    "eval_step": (-1, "x", 1.5, 0.5),
    "stopping_step": ("x", [1], 1.5),
    "neg_sampling": (7,),
    "loss_decimal_place": ("x", -1, 1.5),
    "gpu_id": ([1], {"a": 1}),
    "encoding": ("nonsense", 7),
}
# Of these, RecBole or the package may make sense.
DUBIOUS_KEYS = {
    *("seed", "epochs", "eval_step", "gpu_id", "seq_separator", "checkpoint_dir", "shuffle"),
    *("neg_sampling", "loss_decimal_place", "normalize_field", "stopping_step", "enable_amp"),
    *("rm_dup_inter", "user_inter_num_interval", "metrics", "MAX_ITEM_LIST_LENGTH", "data_path"),
    *("eval_args", "event_features", "item_features", "field_separator", "encoding", "learner"),
    *("valid_metric", "online_updates", "candidates", "load_col", "benchmark_filename"),
    "val_interval",
}
UNKNOWN = (
    "embeding_size",
    "pointr",
    "n_negative",
    "epoch",
    "lr",
    "__class__",
    "model ",
    "Topk",
    "ünknown",
    "a.b",
    "",
)
RAW_YAML = (
    *(
        "a: [",
        "\tepochs: 1",
        "epochs: 1\n\ttopk: [5]",
        "- 1\n- 2",
        "7",
        "text",
        "epochs 1",
        "{a: b: c}",
    ),
    *("a: *anchor", "!!python/object/apply:os.system ['touch PWNED']", "!!python/name:os.system"),
    *(
        "epochs: !!python/tuple [1]",
        "epochs: &a [*a]",
        "epochs: 1\n---\nepochs: 2",
        "\x00",
        "? [a]\n: 1",
    ),
    *(
        "%YAML 9.9\n---\nepochs: 1",
        "epochs: 'x",
        "[epochs]: 1",
        "{1: 2}",
        "null: 1",
        "epochs: 2024-01-01",
    ),
    *("epochs: 0x1", "<<: {epochs: 1}\nfoo: 2", "epochs: 1\nepochs: x", "true: 1"),
)
# Yaml that means what it says in an unusual way.
FINE_YAML = {
    "static_features: yes": {"static_features": True},
    "static_features: off": {"static_features": False},
    "static_features: True": {"static_features": True},
    "topk: &k [5]\nmetrics: [NDCG]": {"topk": [5]},
    "learning_rate: 1e-3": {"learning_rate": 0.001},
    "learning_rate: .001": {"learning_rate": 0.001},
    "n_negatives: 0x7": {"n_negatives": 7},
    "n_negatives: 1_0": {"n_negatives": 10},
    "'cell': \"gru\"": {"cell": "gru"},
    "": {},
    "# nothing": {},
    "---\n...": {},
    "cell: gru # of two gates": {"cell": "gru"},
    "\ufeffcell: gru": {"cell": "gru"},
    "cell: gru\r\nfusion: sum\r\n": {"cell": "gru", "fusion": "sum"},
    "epochs: 1\nepochs: 1": {"epochs": 1},
}


PLUS = {"pointer_neighbours", "n_active_negatives", "static_features"}


def make(seed: str, kept: list[int] | None) -> Case:
    """Make a case; a single fault is small already, so ``kept`` leaves nothing out."""
    rng = Random(seed)
    base = good_log(rng)
    base.model = rng.choice(("IMNNetPlus", "IMNNetPlus", "IMNNet"))
    base.item = base.user = None
    for key in ("item_features", "candidates"):
        base.settings.pop(key, None)
    base.settings["load_col"] = {"inter": base.settings["load_col"]["inter"]}
    how = rng.choices(("good", "bad", "unknown", "raw", "fine yaml", "host"), (4, 8, 2, 2, 2, 5))[0]
    door = rng.choice(("file", "argument", "config_dict"))
    return HOW[how](base, rng, door)


def _case(
    base: Any,
    door: str,
    changed: dict[str, Any],
    expectation: Expectation,
    what: str,
    yaml: bytes | None = None,
) -> Case:
    """Put changed settings through a door; all others come from a good file."""
    files = {f"data/{NAME}/{NAME}.inter": base.inter.data()}
    usual = {"data_path": "data", **base.settings}
    names = {"model": base.model, "dataset": NAME}
    if door == "config_dict":
        arguments = [f"{key}={value}" for key, value in names.items()]
        return Case("quick_start", arguments, files, expectation, [what], {**usual, **changed})
    for key in changed:
        usual.pop(key, None)
    files["own.yaml"] = json.dumps(usual).encode()
    config_files = "own.yaml"
    arguments = [f"--{key}={value}" for key, value in names.items()]
    if door == "file":
        files["more.yaml"] = json.dumps(changed).encode() if yaml is None else yaml
        config_files = "own.yaml more.yaml"
    else:
        arguments += [f"--{key}={value}" for key, value in changed.items()]
    arguments.append(f"--config_files={config_files}")
    return Case("run", arguments, files, expectation, [what])


def good(base: Any, rng: Random, door: str) -> Case:
    """Some values that are right: the run must work with exactly these."""
    keys = rng.sample(sorted(GOOD), rng.randint(1, 3))
    changed = {key: rng.choice(GOOD[key]) for key in keys}
    if "topk" in changed or "metrics" in changed:
        top = changed.get("topk", [5])[-1]
        changed["valid_metric"] = f"NDCG@{top}"
    # Only IMNNetPlus has them among its keys on the command line.
    is_foreign = base.model == "IMNNet" and set(changed) & PLUS
    is_linked = {"first_events", "sources", "terms", "positive_state"} & set(changed)
    dubious = bool(is_linked or is_foreign) or changed.get("eval_step", 1) > 1
    expectation = Expectation(may_fail=dubious, check=_has(changed))
    return _case(base, door, changed, expectation, f"good {changed}")


def bad(base: Any, rng: Random, door: str) -> Case:
    """A value that cannot be: the run must refuse it and name the key."""
    key = rng.choice(sorted(BAD))
    value = rng.choice(BAD[key])
    if door == "argument" and (value is None or "=" in str(value)):
        door = "file"
    what = f"{key}: {value!r} by {door}"
    names = [[key, f"{value!r}", *(("metric",) if "metric" in key else ())]]
    if door == "argument" and _reads_well(key, str(value)):
        return _case(base, door, {key: value}, Expectation(may_fail=True), what)
    if key in DUBIOUS_KEYS:
        return _case(base, door, {key: value}, Expectation(may_fail=True, names=names), what)
    return _case(base, door, {key: value}, Expectation([what], names), what)


def _reads_well(key: str, text: str) -> bool:
    """Whether a text on the command line means something that the setting may be."""
    return key in ("topk",) and text in ("['5']",)


def host(base: Any, rng: Random, door: str) -> Case:
    """What RecBole can do: with any model it works, or is refused in one line."""
    base.model = rng.choice(HOST_MODELS)
    keys = rng.sample(sorted(HOST), rng.choice((0, 1, 1, 2)))
    changed = {key: rng.choice(HOST[key]) for key in keys}
    for key in [key for key in SMALL if rng.random() < 0.1]:
        base.settings.pop(key)
    what = f"{base.model} with {changed}"
    return _case(base, "file", changed, Expectation(may_fail=True, check=_has_finite), what)


def _has_finite(result: Result) -> str | None:
    return "a metric is not a number" if "nan" in result.out.split() else None


def unknown(base: Any, rng: Random, door: str) -> Case:
    """A key that nobody knows: refused, named."""
    key = rng.choice(UNKNOWN)
    if door == "config_dict":
        door = "file"  # RecBole's own function takes keys of anybody
    names = [[key or "key"]]
    return _case(base, door, {key: 1}, Expectation([f"unknown key {key!r}"], names), f"key {key!r}")


def raw(base: Any, rng: Random, door: str) -> Case:
    """A file that is no yaml, or holds no settings."""
    text = rng.choice(RAW_YAML)
    may_fail = text in ("epochs: 0x1", "epochs: 1\n---\nepochs: 2", "<<: {epochs: 1}\nfoo: 2")
    expectation = Expectation([f"yaml {text!r}"], [["more.yaml", "epochs"]])
    if may_fail:
        expectation = Expectation(may_fail=True)
    return _case(base, "file", {}, expectation, f"yaml {text!r}", text.encode())


def fine_yaml(base: Any, rng: Random, door: str) -> Case:
    """Unusual yaml: what it says, or a refusal where that is no plain value."""
    text = rng.choice(sorted(FINE_YAML))
    is_linked = "static_features" in text and base.model == "IMNNet"
    # A file that says nothing is rather a mistake.
    is_dubious = not FINE_YAML[text] or "0x" in text or "_0" in text or is_linked
    expectation = Expectation(may_fail=is_dubious, check=_has(FINE_YAML[text]))
    return _case(base, "file", {}, expectation, f"yaml {text!r}", text.encode())


def _has(wanted: dict[str, Any]) -> Any:
    """Make a check that settings arrived as they are."""

    def check(result: Result) -> str | None:
        found = result.seen.get("settings")
        if not found:
            return "no trainer was made"
        for key, value in wanted.items():
            for place in (found, found.get("network", {})):
                if key in place and not _equal(place[key], value):
                    return f"{key} is {place[key]!r} instead of {value!r}"
            if key not in found:
                return f"{key} did not arrive"
        return None

    return check


def _equal(found: Any, value: Any) -> bool:
    if isinstance(found, bool) != isinstance(value, bool):
        return False
    return bool(found == value)


HOW = {
    "good": good,
    "bad": bad,
    "unknown": unknown,
    "raw": raw,
    "fine yaml": fine_yaml,
    "host": host,
}

"""Cases of settings: values in yaml files, in config_dict and on the command line."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from fuzzing.case import Case, Expectation, Result
from fuzzing.logs import NAME, SMALL, good_log
from fuzzing.setting_values import (
    BAD,
    DUBIOUS_KEYS,
    FINE_YAML,
    GOOD,
    HOST,
    HOST_MODELS,
    RAW_YAML,
    UNKNOWN,
)

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

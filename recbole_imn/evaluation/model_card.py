"""Model cards: what a checkpoint is, how good it is, and how to load it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from recbole_imn import own_models, registry
from recbole_imn.checkpoints import plain_config
from recbole_imn.data.filters import what_is_left_out
from recbole_imn.data.scaling import is_global_time_split
from recbole_imn.evaluation.full_ranking import FullMRR
from recbole_imn.evaluation.metrics import names_with_cuts
from recbole_imn.evaluation.significance import interval, user_interval
from recbole_imn.files import replace_text
from recbole_imn.rank_metrics import FULL_MRR, rank_metric

# Settings that say how a model was made; the rest is in the checkpoint.
SHOWN = (
    "seed",
    "epochs",
    "stopping_step",
    "learner",
    "learning_rate",
    "table_learning_rate",
    "pointer_learning_rate",
    "train_batch_size",
    "embedding_size",
    "hidden_size",
    "loss_type",
    *("protocol", "eval_args", "split_by", "first_events"),
    "valid_metric",
    *("mse_weight", "nce_weight", "resource_branch", "fusion", "cell"),
    *("item_features", "event_features", "selected_features"),
)

BODY = """
# {model} on {dataset}

{summary}
{simulated}
## Data

`{dataset}`, SHA-256 of its atomic files `{fingerprint}`. {split}
{part}{rows} test rows of {users} users, {candidates}.

## Results on the test rows

Means over rows with 95% intervals by resampling users; items with equal scores count half.

| metric | value | 95% interval |
|---|---|---|
{results}

## Settings

{settings}

Commit {commit}; {versions}.

## Limits

* Trained and judged on one log; nothing is known about other markets or other times.
* One seed: the intervals are about users, not about training again.
* Users and items that training never saw have no learned embedding of their own.
* Recommendations repeat what a log of shown and chosen items rewards, its biases included.

## How to load

The file holds weights and plain values; loading executes no code from it. The data set must
be in its folder.

```python
import recbole_imn  # first: it mends RecBole
from recbole.quick_start import load_data_and_model

config, model, dataset, train, valid, test = load_data_and_model("{checkpoint}")
scores = model.full_sort_predict(test.dataset[[0, 1, 2]])  # all items, a row a test row
```
"""


@dataclass(frozen=True)
class Facts:
    """What a card says.

    Attributes
    ----------
    model, dataset : str
    simulated : str, optional
        The notice for simulated data.
    fingerprint : str
        SHA-256 of the data set's files.
    candidates : str
        ``all`` or ``on_shelf``.
    config : mapping
        All settings, as plain values.
    environment : mapping of str to str
        Commit and versions.
    """

    model: str
    dataset: str
    simulated: str | None
    fingerprint: str
    candidates: str
    config: Mapping[str, Any]
    environment: Mapping[str, str]

    @classmethod
    def of(
        cls, config: Any, simulated: str | None, fingerprint: str, environment: Mapping[str, str]
    ) -> Facts:
        """Take the facts from a RecBole configuration and what it does not know."""
        return cls(
            model=config["model"],
            dataset=config["dataset"],
            simulated=simulated,
            fingerprint=fingerprint,
            candidates=config["candidates"] or "all",
            config=plain_config(config)["final"],
            environment=environment,
        )


def write_card(checkpoint: Path, facts: Facts, table: pd.DataFrame) -> Path:
    """Write a card beside a checkpoint: the same name with the ending ``.md``.

    Parameters
    ----------
    checkpoint : Path
    facts : Facts
    table : DataFrame
        Ranks of the test rows, as :class:`~recbole_imn.evaluation.ranks.RankRecorder` gives.
    """
    results = interval_results(table, whole=facts.config.get("valid_metric") == FullMRR.__name__)
    path = checkpoint.with_suffix(".md")
    replace_text(path, _head(facts, results) + _body(checkpoint, facts, table, results))
    return path


def _split(eval_args: Mapping[str, Any]) -> str:
    if is_global_time_split(eval_args):
        return (
            "One cut in time for all users;\n"
            "the test part begins after all training and validation events."
        )
    return f"Split by\n`{eval_args['split']}`, order {eval_args['order']}, for each user apart."


def interval_results(
    table: pd.DataFrame, whole: bool = False
) -> dict[str, tuple[float, float, float]]:
    """Give mean and ends of the 95% interval of each metric, that of whole rankings if asked."""
    rank, users = table["rank"].to_numpy(), table["user"].to_numpy()
    results = {}
    for name in [*([FULL_MRR] if whole else []), *names_with_cuts()]:
        values = rank_metric(name)(rank)
        results[name] = (float(values.mean()), *user_interval(values, users))
    return results


def _head(facts: Facts, results: Mapping[str, tuple[float, float, float]]) -> str:
    """Give the YAML head in the form that model hubs read."""
    metrics = [{"type": name, "value": round(mean, 6)} for name, (mean, _, _) in results.items()]
    name = f"{facts.dataset} (simulated)" if facts.simulated else facts.dataset
    head = {
        "library_name": "recbole_imn",
        "license": "mit",
        "tags": ["recommendation", "sequential-recommendation", "recbole"],
        "datasets": [facts.dataset],
        "metrics": sorted({metric.partition("@")[0] for metric in results}),
        "model-index": [
            {
                "name": facts.model,
                "results": [
                    {
                        "task": {"type": "recommendation", "name": "Next item"},
                        "dataset": {"type": facts.dataset, "name": name},
                        "metrics": metrics,
                    }
                ],
            }
        ],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n"


def _body(
    checkpoint: Path,
    facts: Facts,
    table: pd.DataFrame,
    results: Mapping[str, tuple[float, float, float]],
) -> str:
    origin = "of recbole_imn" if facts.model in registry.MODELS else "of RecBole 1.2.1"
    if own_models.is_registered(facts.model):
        origin = f"derived from {own_models.lineage(facts.model)[1]}"
    shown = [f"* `{key}`: {facts.config[key]}" for key in SHOWN if key in facts.config]
    packages = ("python", "recbole", "torch", "numpy", "pandas")
    kinds = {"all": "the whole catalogue ranked", "on_shelf": "the items on the shelf ranked"}
    return BODY.format(
        model=facts.model,
        dataset=facts.dataset,
        summary=f"The model {facts.model} {origin}, for the next item that a user acts on.",
        simulated=f"\n**{facts.simulated}.**\n" if facts.simulated else "",
        fingerprint=facts.fingerprint,
        split=_split(facts.config["eval_args"]),
        part=f"{part}\n" if (part := what_is_left_out(facts.config)) else "",
        rows=len(table),
        users=table["user"].nunique(),
        candidates=kinds[facts.candidates],
        results="\n".join(
            f"| {name} | {mean:.4f} | {interval(low, high)} |"
            for name, (mean, low, high) in results.items()
        ),
        settings="\n".join(shown),
        commit=facts.environment["commit"],
        versions=", ".join(f"{name} {facts.environment[name]}" for name in packages),
        checkpoint=checkpoint.name,
    )

"""The card of an update: what is new, which weights were kept and why, and how to repeat it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recbole_imn.files import file_sum, replace_text
from recbole_imn.provenance import environment
from recbole_imn.serving.updating.learning import Learned
from recbole_imn.serving.updating.update import Updated
from recbole_imn.serving.updating.wishes import Wishes

BODY = """# Update of {model} on {data_name}

`{checkpoint}` became `{output}`.
{simulated}
## What is new

| | before | new | after |
|---|---|---|---|
| events | {n_before:,} | {accepted:,} | {n_after:,} |
| users | {users[0]:,} | {new_users:,} | {users[1]:,} |
| items | {items[0]:,} | {new_items:,} | {items[1]:,} |

{span}The files have {rows:,} events, of which the log had {known_rows:,} already; {dropped}.

## Weights

{weights}
## Fingerprints

SHA-256 of the new checkpoint and of what it was made of:

{sums}

Commit {commit}; {versions}; seed {seed}.
"""

TRAINED = """{kept}

Training went on for {epochs} over events {start:,} to {stop:,} of the log;
the loss of an event was {losses}.
Scales of features and times are those that were fitted first. The optimiser began anew.

The last {judged:,} new events, from which neither weights have learned, judged them:
{rows:,} rows of {users:,} users, each with an earlier event; all {n_items:,} items were ranked,
and equal scores count half.

| | Recall@10 | NDCG@10 | MRR@10 |
|---|---|---|---|
{table}

New minus old NDCG@10: {difference:+.4f}, 95% interval {interval} by resampling
users.{chosen}
"""
UNTRAINED = """The weights are as they were; states have moved on past the new events.
"""
KEPT = {
    ("new", "better"): "The new weights were kept: they are not worse by NDCG@10.",
    ("old", "better"): "The old weights were kept: the new ones are worse by NDCG@10.",
    ("new", "new"): "The new weights were kept, as was asked for (`--keep=new`).",
    ("old", "old"): "The old weights were kept, as was asked for (`--keep=old`).",
}
CHOSEN = """ These rows chose which weights were kept, so that
the better figure is a little too good."""
NAMES = {"old": "old weights", "new": "new weights", "history": "recent history, nothing learned"}
PACKAGES = ("python", "recbole", "torch", "numpy", "pandas")


def write_card(done: Updated, wishes: Wishes, path: Path) -> None:
    """Write a card, and the same as json beside it.

    Parameters
    ----------
    done : Updated
        Of a checkpoint that has been written.
    wishes : Wishes
    path : Path
        Of the card; the ending ``.json`` in place of its own is that of the other file.
    """
    facts = facts_of(done, wishes)
    replace_text(path, card(done, wishes, facts))
    text = json.dumps(facts, indent=2, ensure_ascii=False, default=str)
    replace_text(path.with_suffix(".json"), text + "\n")


def card_beside(output: Path) -> Path:
    """Give the usual name of the card of a checkpoint."""
    return output.with_suffix(".update.md")


def facts_of(done: Updated, wishes: Wishes) -> dict[str, Any]:
    """Give all that a card says as plain values."""
    facts = asdict(done)
    names = {"checkpoint": done.checkpoint.name, "output": done.output.name}
    asked = {name: value for name, value in asdict(wishes).items() if name != "progress"}
    sums = {**done.sums, "output": file_sum(done.output)}
    return {**facts, **names, "sums": sums, "wishes": asked, "environment": environment()}


def card(done: Updated, wishes: Wishes, facts: dict[str, Any]) -> str:
    """Write a card as markdown."""
    dropped = ", ".join(f"{count:,} {why}" for why, count in done.observed.dropped.items())
    origin = facts["environment"]
    return BODY.format(
        model=done.model,
        data_name=done.data_name,
        checkpoint=done.checkpoint.name,
        output=done.output.name,
        simulated=f"\n**{done.simulated}.**\n" if done.simulated else "",
        n_before=done.n_before,
        accepted=done.observed.accepted,
        n_after=done.observed.position,
        users=done.users,
        new_users=done.users[1] - done.users[0],
        items=done.items,
        new_items=done.items[1] - done.items[0],
        span=f"The new events are from {done.span[0]} to {done.span[1]}. " if done.span else "",
        rows=done.rows,
        known_rows=done.known_rows,
        dropped=f"left out were {dropped}" if dropped else "none was left out",
        weights=_weights(done.learned, wishes, done.items[1]),
        sums="\n".join(f"* `{Path(name).name}`: `{value}`" for name, value in _sums(facts)),
        commit=origin["commit"],
        versions=", ".join(f"{name} {origin[name]}" for name in PACKAGES),
        seed=done.seed,
    )


def _sums(facts: dict[str, Any]) -> list[tuple[str, str]]:
    named = {"checkpoint": facts["checkpoint"], "output": facts["output"]}
    sums = {named.get(name, name): value for name, value in facts["sums"].items()}
    return sorted(sums.items(), key=lambda entry: entry[0] != facts["output"])


def _weights(learned: Learned | None, wishes: Wishes, n_items: int) -> str:
    if learned is None:
        return UNTRAINED
    judgement, comparison = learned.judgement, learned.judgement.comparison
    lines = [
        f"| {name} | {metrics['recall@10']:.4f} | {metrics['ndcg@10']:.4f} "
        f"| {metrics['mrr@10']:.4f} |"
        for key, name in NAMES.items()
        if (metrics := getattr(judgement, key)) is not None
    ]
    n_epochs = len(learned.losses)
    return TRAINED.format(
        kept=KEPT[learned.kept, wishes.keep],
        chosen=CHOSEN if wishes.keep == "better" else "",
        epochs="an epoch" if n_epochs == 1 else f"{n_epochs} epochs",
        start=learned.start + 1,
        stop=learned.stop,
        losses=", then ".join(f"{loss:.4f}" for loss in learned.losses),
        judged=learned.end - learned.stop,
        rows=judgement.rows,
        users=judgement.users,
        n_items=n_items,
        table="\n".join(lines),
        difference=comparison.figure.mean,
        interval=comparison.figure.interval,
    )

"""One sentence that says why an item has its place, built of the figures alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from recbole_imn.model.explaining import ATTENDED, EVERYBODY
from recbole_imn.model.explaining.contexts import (
    GENERAL,
    LIMITED,
    PREVIOUS,
    STATIC_USER,
    TOGETHER,
)
from recbole_imn.serving.score_rows import (
    DENSITY,
    FRESHNESS,
    PREDICTION,
    PROPOSED,
    TASTE,
    PartRow,
    ProposalRow,
)
from recbole_imn.serving.spans import ordinal

if TYPE_CHECKING:
    from recbole_imn.serving.explanation import Explanation, PurchaseChange

# Reasons that a sentence gives, at most.
MOST_REASONS = 2
# A second reason is worth telling if it is at least this much of the first.
WORTH_TELLING = 0.25

ORIGINS = {
    GENERAL: "what the user has been doing",
    LIMITED: "what the user has purchased",
    TOGETHER: "what the user has been doing and has purchased",
    STATIC_USER: "the user's lasting preferences",
    PREVIOUS: "the item that the user came to last",
    ATTENDED: "the items that the user came to lately",
    EVERYBODY: "how it does with everybody",
}
# What stands for the user where there is nothing to say of that user's own: one row for all.
NEWCOMERS = "newcomers"
NO_BUYERS = "users who have not purchased"


def sentence_of(explanation: Explanation) -> str:
    """Say the rank, the parts that most set the item apart from others, and what changed it.

    Parts that speak for the item are told, unless its score is below the mean: then those that
    speak against it.
    """
    simulated = "In simulated data: " if explanation.simulated else ""
    return f"{simulated}{_ranked(explanation)}{_reasons(explanation)}{_purchases(explanation)}."


def _ranked(explanation: Explanation) -> str:
    name = f"{'i' if explanation.simulated else 'I'}tem {explanation.item}"
    if explanation.rank is None:
        return f"{name} is not among the {explanation.n_ranked} items ranked"
    return f"{name} is ranked {ordinal(explanation.rank)} of {explanation.n_ranked}"


def _reasons(explanation: Explanation) -> str:
    parts = _merged(explanation)
    sign = 1 if sum(part.lead for part in parts) >= 0 else -1
    leads = sorted((part for part in parts if sign * part.lead > 0), key=lambda p: -abs(p.lead))
    told = [p for p in leads[:MOST_REASONS] if abs(p.lead) >= WORTH_TELLING * abs(leads[0].lead)]
    if not told:
        return ", like any other" if _is_ranked(explanation) else "; its score is like any other's"
    reasons = " and ".join(_reason(part, sign, explanation) for part in told)
    if _is_ranked(explanation):
        return f", mainly because {reasons}"
    # The reasons are of the score: why an item is not ranked is nothing that a model knows.
    return f"; its score is {'high' if sign > 0 else 'low'}, mainly because {reasons}"


def _is_ranked(explanation: Explanation) -> bool:
    return explanation.rank is not None


def _merged(explanation: Explanation) -> list[PartRow]:
    """Add what prediction and density ratio say of the same origin."""
    merged: dict[str, PartRow] = {}
    for part in explanation.parts:
        key = _origin(part.origin, explanation) or part.name
        before = merged.get(key)
        value, typical = (0.0, 0.0) if before is None else (before.value, before.typical)
        name = f"{DENSITY}: {key}" if part.kind in (PREDICTION, DENSITY) else key
        merged[key] = PartRow(name, value + part.value, typical + part.typical, part.detail)
    return list(merged.values())


def _origin(origin: str, explanation: Explanation) -> str:
    """Give where a part comes from, and for users without a past whom they are taken for."""
    if explanation.is_new and origin in ORIGINS and origin != EVERYBODY:
        return NEWCOMERS
    return NO_BUYERS if origin == LIMITED and not explanation.has_purchased else origin


def _reason(part: PartRow, sign: int, explanation: Explanation) -> str:
    if part.kind == DENSITY:
        fits = "fits" if sign > 0 else "does not fit"
        if part.origin == EVERYBODY:
            return f"it does {'well' if sign > 0 else 'badly'} with everybody"
        return f"it {fits} {ORIGINS.get(part.origin, part.origin)}"
    own: dict[str, Callable[[PartRow, int, Explanation], str]] = {
        PROPOSED: _of_proposals,
        FRESHNESS: _of_freshness,
        TASTE: _of_taste,
    }
    if part.name in own:
        return own[part.name](part, sign, explanation)
    return f"{part.name} speaks {'for' if sign > 0 else 'against'} it"


def _of_proposals(part: PartRow, sign: int, explanation: Explanation) -> str:
    if sign < 0 or not explanation.proposals:
        return "little of the past points to it"
    first = explanation.proposals[0]
    share = sum(p.share for p in explanation.proposals if (p.source, p.item) == _key(first))
    return f"{_pointed(first, explanation)} ({share:.0%} of the score's mass)"


def _key(proposal: ProposalRow) -> tuple[str, str]:
    return proposal.source, proposal.item


def _pointed(proposal: ProposalRow, explanation: Explanation) -> str:
    user, done = f"user {explanation.user}", f" ({proposal.behavior})" if proposal.behavior else ""
    came = f"{user} came to{done} {proposal.ago}"
    if proposal.source == "own_items":
        return f"{user} came to it{done} {proposal.ago}"
    if proposal.source == "co_visited":
        return f"others had it beside item {proposal.item}, which {came}"
    if proposal.source == "first_choices":
        return f"newcomers lately began with it, the last one {proposal.ago}"
    if proposal.source == "successors":
        return f"others went on to it from item {proposal.item}, which {came}"
    if proposal.source == "predecessors":
        return f"others came from it to item {proposal.item}, which {came}"
    return f"{proposal.source} points to it by an event with item {proposal.item} {proposal.ago}"


def _of_freshness(part: PartRow, sign: int, explanation: Explanation) -> str:
    return f"it was {part.detail}, which speaks {'for' if sign > 0 else 'against'} it"


def _of_taste(part: PartRow, sign: int, explanation: Explanation) -> str:
    rows = [row for row in explanation.taste if sign * (row.value - row.typical) > 0]
    if not rows:
        return f"its attributes speak {'for' if sign > 0 else 'against'} it"
    row = rows[0]
    content = row.attribute if row.content is None else f"{row.attribute} {row.content}"
    own = sign * (row.user + row.history) > sign * row.everybody
    someone = NEWCOMERS if explanation.is_new else f"user {explanation.user}"
    whose = someone if own else "everybody"
    return f"its {content} {'suits' if sign > 0 else 'does not suit'} {whose}"


def _purchases(explanation: Explanation) -> str:
    change = explanation.purchases
    if change is None:
        return ""
    return f"; {_whose(change)} {_moved(change, explanation.rank)}"


def _whose(change: PurchaseChange) -> str:
    if len(change.items) == 1:
        return f"the purchase of item {change.items[0]}"
    items = ", ".join(change.items)
    return f"the last {len(change.items)} purchases (items {items})"


def _moved(change: PurchaseChange, rank: int | None) -> str:
    before = change.rank_without
    if rank is None or before is None or rank == before:
        return f"left its rank as it is and moved its score by {change.change:+.3g}"
    return f"{'raised' if rank < before else 'lowered'} it from {ordinal(before)}"

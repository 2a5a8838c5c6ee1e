"""Sentences say what the figures say, and nothing else."""

import dataclasses

import pytest

from recbole_imn.model.explaining import ATTENDED, EVERYBODY
from recbole_imn.model.explaining.contexts import GENERAL, LIMITED, PREVIOUS, STATIC_USER, TOGETHER
from recbole_imn.serving.explanation import Explanation, PurchaseChange
from recbole_imn.serving.score_rows import PartRow, ProposalRow, TasteRow

CONTEXTS = (GENERAL, LIMITED, TOGETHER, STATIC_USER)


def proposal(source, item="i17", behavior="view", share=0.61):
    time = "2026-11-25T10:00:00+00:00"
    return ProposalRow(source, item, behavior, time, "2 hours ago", time, share, -1.0)


def explanation(parts, **changes):
    plain = Explanation(
        "u", "i5", "2026-11-25T12:00:00+00:00", 1.0, 3, 40, tuple(parts), (), (), None, None, None
    )
    return dataclasses.replace(plain, **changes)


def part(name, value, typical=0.0, detail=""):
    return PartRow(name, value, typical, detail)


def test_the_two_largest_leads_are_told_with_their_figures():
    found = explanation(
        [
            part("proposals", 2.0),
            part("freshness", 1.0, 0.2, "seen once, 1 minute ago"),
            part("taste", 0.3),
        ],
        proposals=(proposal("own_items"), proposal("successors", share=0.2)),
        purchases=PurchaseChange(("i9",), ("2026",), 1, -0.4, 10),
    )
    assert found.sentence == (
        "Item i5 is ranked 3rd of 40, mainly because user u came to it (view) 2 hours ago (61% of "
        "the score's mass) and it was seen once, 1 minute ago, which speaks for it; the purchase "
        "of item i9 lowered it from 1st."
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("co_visited", "others had it beside item i17, which user u came to (view) 2 hours ago"),
        ("successors", "others went on to it from item i17, which user u came to (view) 2 hours"),
        ("predecessors", "others came from it to item i17, which user u came to (view) 2 hours"),
        ("first_choices", "newcomers lately began with it, the last one 2 hours ago"),
        ("shop.Twins", "shop.Twins points to it by an event with item i17 2 hours ago"),
    ],
)
def test_each_source_has_its_own_words(source, expected):
    found = explanation([part("proposals", 2.0)], proposals=(proposal(source),))
    assert f"because {expected}" in found.sentence


@pytest.mark.parametrize("origin", [*CONTEXTS, PREVIOUS, ATTENDED, EVERYBODY])
def test_every_origin_of_the_density_has_words(origin):
    found = explanation([part(f"density: {origin}", 2.0)]).sentence
    assert "because it " in found


def test_proposals_of_one_source_by_one_item_are_told_together():
    three = tuple(proposal("successors", item, share=0.25) for item in ("i17", "i3", "i17"))
    found = explanation([part("proposals", 2.0)], proposals=three)
    assert "(50% of the score's mass)" in found.sentence


def test_an_item_below_the_mean_is_told_what_speaks_against_it():
    found = explanation(
        [
            part("density: general state", 0.5),
            part("density: previous item", -3.0),
            part("proposals", 0.0, 1.0),
        ],
        rank=39,
    )
    assert found.sentence == (
        "Item i5 is ranked 39th of 40, mainly because it does not fit the item that the user came "
        "to last and little of the past points to it."
    )


def test_prediction_and_density_of_one_origin_are_one_reason():
    parts = [
        part("prediction: limited state", 2.0),
        part("density: limited state", -1.5),
        part("prediction: everybody", 0.8, 0.1),
    ]
    assert "because it does well with everybody and it fits what the user has purchased" in (
        explanation(parts).sentence
    )


def test_a_newcomer_has_no_past_that_a_sentence_could_tell_of():
    parts = [
        part("density: general state", 0.5),
        part("density: previous item", 1.0),
        part("density: static user", 0.4),
        part("taste", 1.2),
    ]
    taste = (TasteRow("price", 17.6, 1.0, 0.0, 0.0, 1.0, 0.0),)
    found = explanation(parts, taste=taste, is_new=True).sentence
    assert found.endswith("mainly because it fits newcomers and its price 17.6 suits newcomers.")
    against = explanation([part("density: previous item", -1.0)], is_new=True).sentence
    assert against.endswith("mainly because it does not fit newcomers.")


def test_who_has_not_purchased_is_not_told_of_purchases():
    parts = [part("prediction: limited state", 2.0), part("density: limited state", -1.5)]
    found = explanation(parts, has_purchased=False).sentence
    assert found.endswith("mainly because it fits users who have not purchased.")


@pytest.mark.parametrize(("own", "whose"), [(0.9, "user u"), (0.1, "everybody")])
def test_a_taste_is_told_by_its_largest_attribute_and_its_owner(own, whose):
    taste = (
        TasteRow("year", 1999, -2.0, 0.0, -2.0, 0.0, 0.0),
        TasteRow("price", 17.6, 1.0, 0.0, 1 - own, own / 2, own / 2),
    )
    found = explanation([part("taste", 1.0)], taste=taste)
    assert f"because its price 17.6 suits {whose}." in found.sentence


@pytest.mark.parametrize(
    ("rank", "without", "expected"),
    [
        (3, 5, "; the purchase of item i9 raised it from 5th."),
        (3, 3, "; the purchase of item i9 left its rank as it is and moved its score by +0.25."),
        (None, None, "left its rank as it is and moved its score by +0.25."),
    ],
)
def test_what_a_purchase_did_is_told(rank, without, expected):
    change = PurchaseChange(("i9",), ("2026",), without, 0.25, 10)
    found = explanation([part("shop", 1.0)], rank=rank, purchases=change)
    assert found.sentence.endswith(expected)
    assert "because shop speaks for it" in found.sentence


def test_more_purchases_are_told_together():
    change = PurchaseChange(("i9", "i2"), ("2026", "2026"), 8, 0.25, 10)
    sentence = explanation([part("shop", 1.0)], purchases=change).sentence
    assert sentence.endswith("; the last 2 purchases (items i9, i2) raised it from 8th.")


def test_an_item_like_any_other_and_one_outside_are_told_so():
    found = explanation([part("shop", 1.0, 1.0)], rank=None)
    assert found.sentence == (
        "Item i5 is not among the 40 items ranked; its score is like any other's."
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, "high, mainly because it fits the item that the user came to last."),
        (-2.0, "low, mainly because it does not fit the item that the user came to last."),
    ],
)
def test_reasons_of_an_item_outside_are_those_of_its_score(value, expected):
    found = explanation([part("density: previous item", value)], rank=None).sentence
    assert found == f"Item i5 is not among the 40 items ranked; its score is {expected}"


def test_simulated_data_is_called_so():
    found = explanation([part("shop", 1.0)], simulated="simulated market")
    assert found.sentence.startswith("In simulated data: item i5 is ranked 3rd of 40")

"""LocalGlobal against its equation, and its choice on validation rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.baselines.local_global import GRID, HOUR, N_TREND, LocalGlobal, Proportions
from recbole_imn.baselines.local_rows import Rules, Walks, rank_rows, score_rows
from recbole_imn.baselines.orders import places_of
from recbole_imn.baselines.trending import trending
from recbole_imn.model.recency import popularity
from recbole_imn.past import Past
from recbole_imn.rank_metrics import rank_metric
from tests.past.test_sessions import EVENTS, log_with

NUMBERS = st.builds(
    Proportions, *(st.sampled_from([number for number in GRID[name] if number < 100])
    for name in ("own_power", "following_power", "following_weight", "trend_weight")),
    st.sampled_from([1 / HOUR, 1.0]),
)  # fmt: skip
REACH = 4


def plain_scores(log, event, proportions):
    """Scores by item, as the equation says."""
    own = [k for k in range(event) if log.user[k] == log.user[event]][::-1]
    items = log.item.tolist()
    scores = np.zeros(log.n_items)

    def vote(found, power, weight):
        votes = [(rank + 1) ** -power for rank in range(len(found))]
        for item, value in zip(found, votes, strict=True):
            scores[item] += weight * value / sum(votes)

    vote([items[k] for k in own[:REACH]], proportions.own_power, 1.0)
    before = {}
    steps = []
    for k in range(event):
        user = int(log.user[k])
        if user in before:
            steps.append((items[before[user]], items[k]))
        before[user] = k
    for rank, anchor in enumerate(list(dict.fromkeys(items[k] for k in own[:REACH]))[:3]):
        following = [to for start, to in steps if start == anchor][::-1][:REACH]
        vote(following, proportions.following_power, proportions.following_weight / (rank + 1))
    ages = (log.time[event] - log.time[:event]) / (proportions.half_life * HOUR)
    sums = np.bincount(log.item[:event], 2.0**-ages, minlength=log.n_items)
    if event:
        scores += proportions.trend_weight * sums / sums.sum()
    return scores, set(items[:event])


@settings(max_examples=100, deadline=None)
@given(EVENTS, NUMBERS)
def test_rankings_equal_the_equation(events, proportions):
    log = log_with(events)
    past = Past(log)
    past.move_to(len(log))
    popular = popularity(log.item, log.n_items).numpy()
    places, steps = places_of(popular), 1.0 + np.arange(REACH)
    rules = Rules(
        steps**-proportions.own_power, steps**-proportions.following_power,
        proportions.following_weight, proportions.trend_weight, places,
    )  # fmt: skip
    rows = np.arange(len(log))
    trend = trending(rows, log.item, log.time, proportions.half_life * HOUR, places, N_TREND)
    walks = Walks(log.item, past.chains.user, past.chains.link)
    out = np.repeat(popular[None], len(rows), axis=0)
    score_rows(rows, rows, *trend, walks, rules, out)
    ranks = np.empty(len(rows))
    rank_rows(rows, *trend, walks, rules, ranks)
    for event in rows.tolist():
        expected, there = plain_scores(log, event, proportions)
        above = np.flatnonzero(out[event] >= 1)
        assert set(above) == there
        # Sums in another order may differ in their last bits, and swap what they do not tell apart.
        ranked = expected[above[np.argsort(-out[event, above])]]
        assert (np.diff(ranked) <= 1e-9).all()
        assert len(set(out[event].tolist())) == log.n_items
        found = np.where(out[event] >= 1, out[event], -1)
        target = log.item[event]
        rank = 1 + (found > found[target]).sum() if target in there else np.inf
        assert ranks[event] == rank


def test_the_best_of_the_grid_is_chosen_and_kept(prepare):
    _, _, (_, valid, _), model = prepare("LocalGlobal")
    rows, metric = valid._dataset.inter_feat["event_index"].numpy(), rank_metric("NDCG@5")

    def value():
        scores = model.full_sort_predict(valid._dataset[np.arange(len(rows))]).numpy()[:, 1:]
        own = scores[np.arange(len(rows)), model.past.log.item[rows] - 1]
        return metric(1.0 + (scores > own[:, None]).sum(axis=1)).mean()

    before = value()
    told = model.choose(rows, metric)
    assert model.chosen != Proportions()
    assert value() > before
    assert f"{value():.4f}" in told


def test_a_search_takes_the_best_of_each_number_in_turn():
    best = LocalGlobal._search(
        lambda tried: -abs(tried.own_power - 3) - abs(tried.half_life - tried.own_power * 8)
    )
    assert (best.own_power, best.half_life) == (3.0, 24.0)
    assert best.trend_weight == Proportions().trend_weight


def test_no_validation_leaves_it_as_it_begins(prepare):
    _, _, _, model = prepare("LocalGlobal")
    assert model.chosen == Proportions()
    assert model.chosen.own_power == pytest.approx(1.0)

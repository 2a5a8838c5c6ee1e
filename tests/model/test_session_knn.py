"""Neighbouring sessions against a plain loop that knows nothing of chains."""

from math import exp, sqrt
from math import log as ln

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.errors import SettingsError
from recbole_imn.kernels.session_knn import score_rows
from recbole_imn.model.recency import popularity
from recbole_imn.model.session_knn import (
    NeighbourSettings,
    item_weights,
    make_rules,
    session_decay,
    walks_of,
)
from recbole_imn.past import Past
from recbole_imn.past.sessions import SessionIndex
from tests.past.test_sessions import EVENTS, log_with
from tests.session.streams import log_until

DECAYS = ("same", "linear", "div", "log", "quadratic")
BASE = {
    "session_minutes": 0.05,  # 3 seconds
    "current_items": 3,
    "extended_to": 1,
    "sampled_sessions": 4,
    "neighbours": 2,
    "item_decay": "quadratic",
    "item_scale": 1.5,
    "session_decay": "div",
    "similarity": "dot",
    "fading_days": 0.0,
    "reach": 0.0,
    "idf_weight": 0.5,
    "reminder_weight": 0.7,
    "reminder_decay": "div",
    "recent_events": 5,
}
OPTIONS = st.fixed_dictionaries(
    {
        "current_items": st.integers(1, 4),
        "extended_to": st.integers(0, 4),
        "sampled_sessions": st.integers(1, 5),
        "neighbours": st.integers(1, 5),
        "item_decay": st.sampled_from((*DECAYS, "exponential")),
        "similarity": st.sampled_from(["dot", "cosine"]),
        # Of seconds.
        "fading_days": st.sampled_from([0.0, 5 / 86_400]),
        "reach": st.sampled_from([0.0, 1.5]),
        "session_decay": st.sampled_from(DECAYS),
        "reminder_weight": st.sampled_from([0.0, 0.3, 2.0]),
        "reminder_decay": st.sampled_from(DECAYS),
        "recent_events": st.integers(0, 6),
    }
)


def sessions_before(log, event, longest_break):
    """Sessions that have begun before an event, cut there: lists of events."""
    found, latest = [], {}
    for k in range(event):
        user = int(log.user[k])
        if user not in latest or log.time[k] - log.time[latest[user][-1]] > longest_break:
            latest[user] = []
            found.append(latest[user])
        latest[user].append(k)
    return found


def plain_current(log, event, own, options):
    """The newest distinct items, from earlier sessions too while there are few."""
    items, now = [], log.time[event]
    for k in reversed(own):
        longer = now - log.time[k] > options.session_minutes * 60
        if len(items) == options.current_items or (longer and len(items) >= options.extended_to):
            break
        if log.item[k] not in items:
            items.append(int(log.item[k]))
        now = log.time[k]
    return items


def plain_votes(log, session, current, shared, options):
    """Items of a session in the order it met them, with how near they are to what is shared."""
    items = log.item[session].tolist()
    where = max(place for place, item in enumerate(items) if item == current[min(shared)])
    first = {item: items.index(item) for item in dict.fromkeys(items)}
    if not options.reach:
        return dict.fromkeys(first, 1.0)
    return {item: exp(-abs(place - where) / options.reach) for item, place in first.items()}


def plain_ranking(log, event, options, rarity, places):
    """Items with a score, best first."""
    own = [k for k in range(event) if log.user[k] == log.user[event]]
    current = plain_current(log, event, own, options)
    weights = item_weights(options.item_decay, options.current_items, options.item_scale)
    weights = weights[len(current)]
    decays = session_decay(options.session_decay, options.current_items)
    found = []
    for session in sessions_before(log, event, options.session_minutes * 60):
        met = [k for k in session if log.item[k] in current]
        if met and session[-1] != own[-1]:
            found.append((met[-1], session))
    sampled = [session for _, session in sorted(found, reverse=True)[: options.sampled_sessions]]
    judged = []
    for session in sampled:
        items = list(dict.fromkeys(log.item[session].tolist()))
        shared = [current.index(item) for item in items if item in current]
        similarity = 0.0
        # In the order in which the session met them.
        for place in shared:
            similarity += weights[place]
        if options.similarity == "cosine":
            similarity /= sqrt(len(current) * len(items))
        if options.fading_days:
            age = log.time[event] - log.time[session[-1]]
            similarity *= exp(-age / (options.fading_days * 86_400))
        factor = similarity * decays[min(shared)]
        judged.append((similarity, factor, plain_votes(log, session, current, shared, options)))
    nearest = sorted(judged, key=lambda one: -one[0])[: options.neighbours]
    total = 0.0
    for _, factor, _ in nearest:
        total += factor
    scores: dict[int, float] = {}
    for _, factor, votes in nearest:
        for item, nearness in votes.items():
            value = factor / total * rarity[item] if total > 0 else 0.0
            scores[item] = scores.get(item, 0.0) + value * nearness
    reminders = session_decay(options.reminder_decay, max(options.recent_events, 1))
    recent = own[::-1][: options.recent_events]
    for rank, item in enumerate(dict.fromkeys(log.item[recent].tolist())):
        reminder = options.reminder_weight * reminders[rank]
        scores[item] = scores.get(item, 0.0) + reminder
    there = [item for item, score in scores.items() if score > 0]
    return sorted(there, key=lambda item: (-scores[item], places[item]))


def scores_of(log, events, options, rarity, popular, threads=1):
    """Scores of the compiled loops, on a log of its own."""
    past = Past(log)
    past.move_to(len(log))
    index = SessionIndex(past, options.session_minutes * 60)
    out = np.repeat(popular[None], len(events), axis=0)
    rules = make_rules(options, rarity, popular)
    score_rows(threads, np.asarray(events, np.int64), walks_of(past, index), rules, out)
    return out


@settings(max_examples=150, deadline=None)
@given(EVENTS, OPTIONS)
def test_rankings_equal_a_plain_loop(events, changes):
    log, options = log_with(events), NeighbourSettings(**{**BASE, **changes})
    popular = popularity(log.item, log.n_items).numpy()
    places = {item: place for place, item in enumerate(np.argsort(-popular).tolist())}
    rarity = 1 + np.arange(log.n_items) / 8
    seen = set()
    rows = [k for k, user in enumerate(log.user.tolist()) if user in seen or seen.add(user)]
    scores = scores_of(log, rows, options, rarity, popular)
    for row, event in enumerate(rows):
        expected = plain_ranking(log, event, options, rarity, places)
        above = np.flatnonzero(scores[row] >= 1)
        assert above[np.argsort(-scores[row, above])].tolist() == expected
        others = np.setdiff1d(np.arange(log.n_items), above)
        assert np.array_equal(scores[row, others], popular[others])


@settings(max_examples=60, deadline=None)
@given(EVENTS, EVENTS)
def test_later_events_change_no_bit(events, others):
    log, options = log_with(events), NeighbourSettings(**BASE)
    popular, rarity = popularity(log.item, log.n_items).numpy(), np.ones(log.n_items)
    for k in range(0, len(log), 5):
        expected = scores_of(log_until(log, k + 1), [k], options, rarity, popular)
        # The row's own item is of the future too.
        user, _, pause = events[k]
        changed = log_with([*events[:k], (user, others[0][1], pause), *others])
        assert np.array_equal(scores_of(changed, [k], options, rarity, popular), expected)


def test_threads_change_no_bit():
    rng = np.random.default_rng(0)
    events = np.stack([rng.integers(1, 5, 400), rng.integers(1, 7, 400), rng.integers(0, 4, 400)])
    log, options = log_with(events.T), NeighbourSettings(**BASE)
    popular, rarity = popularity(log.item, log.n_items).numpy(), np.ones(log.n_items)
    given = log, np.arange(20, 400), options, rarity, popular
    assert np.array_equal(scores_of(*given, threads=3), scores_of(*given))


def test_rare_items_are_told_by_training_sessions(prepare):
    _, dataset, _, network = prepare("SessionKNN", idf_weight=2.0, session_minutes=1e9)
    n = dataset.event_bounds[1]
    log = dataset.log
    for item in range(1, log.n_items):
        users = set(log.user[:n][log.item[:n] == item].tolist())
        expected = 1 + 2 * ln(len(set(log.user[:n].tolist())) / max(len(users), 1))
        assert network.rules.rarity[item] == pytest.approx(expected)


def test_decays_are_as_published():
    assert item_weights("div", 3)[3].tolist() == pytest.approx([1, 2 / 3, 1 / 3])
    assert item_weights("quadratic", 3)[2].tolist() == pytest.approx([1, 1 / 4, 0])
    assert item_weights("linear", 2)[2].tolist() == pytest.approx([1, 0.9])
    assert session_decay("div", 3).tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert session_decay("quadratic", 2).tolist() == pytest.approx([1, 1 / 4])
    assert item_weights("exponential", 2, 2.0)[2].tolist() == pytest.approx([1, exp(-0.5)])


@pytest.mark.parametrize(
    ("name", "value"),
    [("neighbours", 0), ("item_decay", "steep"), ("session_minutes", 0), ("idf_weight", -1.0)],
)
def test_a_setting_that_cannot_be_is_told(prepare, name, value):
    with pytest.raises(SettingsError, match=f"{name} is "):
        prepare("SessionKNN", **{name: value})

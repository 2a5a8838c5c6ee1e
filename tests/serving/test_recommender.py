"""A recommender in use: lists, rules, what is kept and what is refused."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.errors import CheckpointError, ServingError, UnknownItemError
from recbole_imn.serving import Policies, Recommender
from recbole_imn.serving.snapshot import KEY
from tests.serving.shops import moment

# -- lists ------------------------------------------------------------------------------------


def test_a_list_has_ranks_items_scores_and_what_is_asked_for(recommender):
    user = recommender.users[3]
    found = recommender.recommend(user, k=7, attributes=["brand", "price"])
    assert found.columns.tolist() == ["rank", "item", "score", "brand", "price"]
    assert found["rank"].tolist() == list(range(1, 8))
    assert found["score"].is_monotonic_decreasing
    items, scores = recommender.scores([user])
    best = sorted(range(len(items)), key=lambda place: (-scores[0, place], place))[:7]
    assert found["item"].tolist() == [items[place] for place in best]
    assert found["score"].tolist() == [float(scores[0, place]) for place in best]


def test_many_users_are_each_as_alone(recommender):
    users = [*recommender.users[:9], "a stranger"]
    for candidates in (None, "on_shelf", recommender.items[5:30]):
        many = recommender.recommend_many(users, k=4, candidates=candidates)
        for user in users:
            alone = recommender.recommend(user, k=4, candidates=candidates)
            own = many[many["user"] == user].drop(columns="user").reset_index(drop=True)
            pd.testing.assert_frame_equal(own, alone)


def test_what_is_left_out_is_not_there(recommender):
    user = recommender.users[0]
    top = recommender.recommend(user, k=5)["item"].tolist()
    without = recommender.recommend(user, k=5, exclude=top[:2])["item"].tolist()
    assert without[:3] == top[2:]
    history = recommender.market.history(1)
    log = recommender.market.session.past.log
    seen = {recommender.market.items.name(int(item)) for item in log.item[history]}
    assert not seen & set(recommender.recommend(user, k=50, exclude="seen")["item"])
    bought = history[log.purchase[history]]
    purchased = {recommender.market.items.name(int(item)) for item in log.item[bought]}
    assert not purchased & set(recommender.recommend(user, k=50, exclude="purchased")["item"])


def test_varied_lists_begin_alike_and_differ_more(recommender):
    user = recommender.users[2]
    plain = recommender.recommend(user, k=10)["item"].tolist()
    varied = recommender.recommend(user, k=10, diversify=0.8)["item"].tolist()
    assert varied[0] == plain[0]
    assert varied != plain
    assert len(set(varied)) == 10


def test_an_item_is_like_others_and_not_itself(recommender):
    item = recommender.items[10]
    found = recommender.similar(item, k=5)
    assert item not in found["item"].tolist()
    assert found["score"].is_monotonic_decreasing
    assert found["score"].between(-1.0001, 1.0001).all()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.recommend("u", k=0), "k is 0"),
        (lambda r: r.recommend("u", candidates="shelf"), "candidates is 'shelf'"),
        (lambda r: r.recommend("u", candidates=["nothing"]), "item 'nothing' is not known"),
        (lambda r: r.recommend("u", exclude="bought"), "exclude is 'bought'"),
        (lambda r: r.recommend("u", exclude=["nothing"]), "item 'nothing' is not known"),
        (lambda r: r.recommend("u", diversify=2), "diversify is 2"),
        (lambda r: r.recommend("u", attributes=["colour"]), "no attribute 'colour'"),
        (lambda r: r.recommend("u", k=True), "k is True"),
        (lambda r: r.recommend("u", candidates=5), "5 is no list"),
        (lambda r: r.recommend("u", exclude=None), "None is no list"),
        (lambda r: r.recommend("u", diversify="a"), "diversify is 'a'"),
        (lambda r: r.recommend("u", diversify=float("nan")), "diversify is nan"),
        (lambda r: r.recommend("u", attributes="price"), "attributes is 'price'; give a list"),
        (lambda r: r.recommend_many("abc"), "'abc' is no list; give each user"),
        (lambda r: r.allocate("abc"), "'abc' is no list; give each user"),
        (lambda r: r.allocate(["u"], attributes=["item"]), "attribute 'item' cannot be told"),
        (lambda r: r.allocate(["u"], width=True), "width is True"),
        (lambda r: r.allocate(["u"], temperature="a"), "temperature is 'a'"),
        (lambda r: r.allocate(["u"], budget={}, price="price"), "nothing for user 'u'"),
        (lambda r: r.list_items("abc"), "'abc' is no list; give each item"),
        (lambda r: r.recommend(np.array([1, 2])), r"user is array\(\[1, 2\]\)"),
        (lambda r: r.explain("u", r.items[0], purchases=1.5), "purchases is 1.5"),
        (
            lambda r: r.observe("a", "b", moment(r), purchase=np.array([1, 0])),
            r"purchase is array\(\[1, 0\]\)",
        ),
        (lambda r: r.recommend("u", at="soon"), "'soon' is no moment"),
        (
            lambda r: r.recommend("u", at=1000 * moment(r)),
            "years after the last event; times are in seco",
        ),
        (lambda r: r.scores(["u"], at=1e30), "years after the last event"),
        (lambda r: r.recommend(""), "user is ''"),
        (lambda r: r.similar("nothing"), "item 'nothing' is not known"),
        (lambda r: r.list_items(["nothing"]), "item 'nothing' is not known"),
        (lambda r: r.add_items({"brand": ["x"]}), "no column 'item'"),
        (lambda r: r.add_items({"item": ["x", "x"]}), "item 'x' comes twice"),
        (lambda r: r.add_items({"item": ["x"], "price": ["dear"]}), "attribute 'price'"),
        (lambda r: r.observe_many({"user": ["a"]}), "no column 'item'"),
        (lambda r: r.observe_many({"user": ["a"], "item": ["b"], "colour": [1]}), "field 'colour'"),
        (lambda r: r.observe("a", "b", moment(r), behavior="eat"), "behavior is 'eat'"),
        (lambda r: r.observe("a", "b", moment(r), purchase="perhaps"), "purchase is 'perhaps'"),
        (lambda r: r.observe("a", None, moment(r)), "item is None"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(recommender, ask, message):
    before = recommender.scores(recommender.users[:3])[1]
    with pytest.raises(ServingError, match=message) as told:
        ask(recommender)
    assert "\n" not in str(told.value)
    assert np.array_equal(recommender.scores(recommender.users[:3])[1], before)


def test_numbers_of_numpy_are_numbers(recommender):
    one, user = np.int64(1), recommender.users[0]
    item = recommender.recommend(user, k=one)["item"][0]
    assert recommender.explain(user, item, purchases=one).rank == 1
    assert len(recommender.allocate([user], k=one, width=one, capacity=one).lists) == 1
    told = {"item": np.array(["x"]), "stock": np.array([5]), "price": np.array([2.5], np.float32)}
    recommender.add_items(told)
    cells = recommender.market.snapshot.attributes.columns["stock"]
    assert [type(cells[-1]), cells[-1]] == [int, 5]


def test_a_key_is_the_same_number_with_and_without_a_fraction(recommender):
    user, item = recommender.users[0], recommender.items[0]
    assert recommender.observe(user, item, moment(recommender), key=5).accepted == 1
    assert recommender.observe(user, item, moment(recommender, 1), key=5.0).accepted == 0


@pytest.mark.parametrize("candidates", [None, "on_shelf"])
def test_a_moment_of_the_past_counts_as_that_of_the_last_event(recommender, candidates):
    """States and shelf are of one moment, since states cannot go back."""
    user = recommender.users[0]
    now = recommender.recommend(user, at=moment(recommender), candidates=candidates)
    for earlier in (moment(recommender, -30 * 86_400.0), 0, "1999-12-31"):
        then = recommender.recommend(user, at=earlier, candidates=candidates)
        pd.testing.assert_frame_equal(then, now)
        assert recommender.moment(earlier) == recommender.last_time


# -- rules ------------------------------------------------------------------------------------


def test_late_events_are_as_the_rule_says(shop):
    user, item = "u", "i"
    refusing = shop.recommender()
    with pytest.raises(ServingError, match=r"comes after one of .*policy late: refuse"):
        refusing.observe(user, item, moment(refusing, -5))
    dropping = shop.recommender(policies=Policies(late="drop"))
    assert dropping.observe(user, item, moment(dropping, -5)).dropped == {"late": 1}
    assert user not in dropping.users
    accepting = shop.recommender(policies=Policies(late="now"))
    assert accepting.observe(user, item, moment(accepting, -5)).accepted == 1
    plain = shop.recommender()
    plain.observe(user, item, moment(plain))
    assert np.array_equal(accepting.scores([user])[1], plain.scores([user])[1])


def test_repeated_events_are_as_the_rule_says(shop):
    told = shop.told(shop.start)
    for rule, counts in {"drop": (0, {"duplicate": 1}), "accept": (1, {})}.items():
        recommender = shop.recommender(policies=Policies(duplicate=rule))
        recommender.observe(**told)
        again = recommender.observe(**told)
        assert (again.accepted, again.dropped) == counts
    recommender = shop.recommender(policies=Policies(duplicate="refuse"))
    recommender.observe(**told)
    with pytest.raises(ServingError, match="was observed before"):
        recommender.observe(**told)
    # Long ago, and in the log of the checkpoint.
    early = shop.recommender(policies=Policies(late="refuse"))
    assert early.observe(**shop.told(5)).dropped == {"duplicate": 1}
    assert early.observe(**shop.told(shop.start - 1)).dropped == {"duplicate": 1}


def test_events_of_the_future_are_as_the_rule_says(shop):
    far = "2200-01-01T00:00:00Z"
    refusing = shop.recommender()
    with pytest.raises(ServingError, match="lies in the future"):
        refusing.observe("u", "i", far)
    dropping = shop.recommender(policies=Policies(future="drop"))
    assert dropping.observe("u", "i", far).dropped == {"future": 1}
    now = shop.recommender(policies=Policies(future="now"))
    assert now.observe("u", "i", far).accepted == 1
    assert now.last_time <= now.clock.now()


def test_a_key_is_taken_once_whatever_the_rules(shop, tmp_path):
    recommender = shop.recommender(policies=Policies(duplicate="accept"))
    told = shop.told(shop.start)
    assert recommender.observe(**told, key="k1").accepted == 1
    assert recommender.observe(**told, key="k1").dropped == {"duplicate": 1}
    assert recommender.observe(**told, key="k2").accepted == 1
    recommender.save(tmp_path / "later.pth")
    later = Recommender.load(tmp_path / "later.pth", policies=Policies(duplicate="accept"))
    assert later.observe(**told, key="k2").dropped == {"duplicate": 1}


def test_a_batch_is_sorted_and_taken_as_a_whole_or_not_at_all(shop):
    columns = shop.events(shop.start, shop.start + 40)
    order = np.random.default_rng(0).permutation(40)
    shuffled = {name: [cells[place] for place in order] for name, cells in columns.items()}
    sorted_, mixed = shop.recommender(), shop.recommender()
    sorted_.observe_many(columns)
    seen = mixed.observe_many(pd.DataFrame(shuffled))
    assert seen.accepted == sorted_.position - shop.start
    ties = len(set(columns["time"])) < 40
    users = sorted_.users[:10]
    if not ties:
        assert np.array_equal(mixed.scores(users)[1], sorted_.scores(users)[1])
    wrong = shop.events(shop.start + 40, shop.start + 60)
    wrong["behavior"][11] = "eat"
    before = mixed.position
    with pytest.raises(ServingError, match="event 12: behavior is 'eat'"):
        mixed.observe_many(wrong)
    assert mixed.position == before


# -- keeping ----------------------------------------------------------------------------------


def test_what_is_saved_goes_on_where_it_was(shop, tmp_path):
    recommender = shop.recommender()
    recommender.observe_many(shop.events(shop.start, shop.start + 50))
    recommender.add_items({"item": ["x"], "price": [3000], "brand": ["brand2"]})
    recommender.list_items(["x"])
    recommender.forget(recommender.users[4])
    recommender.save(tmp_path / "later.pth")
    later = Recommender.load(tmp_path / "later.pth")
    for one in (recommender, later):
        one.observe_many(shop.events(shop.start + 50, shop.start + 80))
    users = recommender.users
    assert later.users == users
    assert later.items == recommender.items
    for candidates in (None, "on_shelf"):
        expected = recommender.scores(users, candidates=candidates)
        found = later.scores(users, candidates=candidates)
        assert found[0] == expected[0]
        assert np.array_equal(found[1], expected[1])


def test_a_checkpoint_of_weights_alone_says_what_to_do(shop, tmp_path):
    values = load_checkpoint(shop.file)
    del values[KEY]
    bare = tmp_path / "bare.pth"
    write_sealed(bare, values, CHECKPOINT)
    with pytest.raises(CheckpointError, match=r"recbole_imn snapshot .*bare\.pth"):
        Recommender.load(bare)
    for model in ("SASRec", "RecentHistory"):
        values["config"]["final"]["model"] = model
        write_sealed(bare, values, CHECKPOINT)
        with pytest.raises(CheckpointError, match=f"and {model} has no states; train"):
            Recommender.load(bare)


@pytest.mark.parametrize("change", ["format", "log", "users", "memories"])
def test_a_snapshot_that_is_none_is_one_line(shop, tmp_path, change):
    values = load_checkpoint(shop.file)
    values[KEY][change] = 99
    file = tmp_path / "odd.pth"
    write_sealed(file, values, CHECKPOINT)
    with pytest.raises(CheckpointError) as told:
        Recommender.load(file)
    assert str(file) in str(told.value)
    assert "\n" not in str(told.value)


def test_readers_and_a_writer_at_once_see_whole_moments(shop):
    recommender = shop.recommender()
    users = recommender.users[:6]
    events = [shop.told(number) for number in range(shop.start, shop.start + 40)]
    lone, moments = shop.recommender(), []
    moments.append(lone.recommend_many(users, k=5).to_dict("list"))
    for told in events:
        lone.observe(**told)
        moments.append(lone.recommend_many(users, k=5).to_dict("list"))

    def read(_):
        return [recommender.recommend_many(users, k=5).to_dict("list") for _ in range(15)]

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, number) for number in range(3)]
        for told in events:
            recommender.observe(**told)
        found = [one for future in reading for one in future.result()]
    assert all(one in moments for one in found)
    assert recommender.recommend_many(users, k=5).to_dict("list") == moments[-1]


def test_unknown_items_have_a_class_of_their_own(recommender):
    with pytest.raises(UnknownItemError) as told:
        recommender.similar("nothing")
    assert told.value.item == "nothing"

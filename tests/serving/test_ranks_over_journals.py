"""Recommenders that share a journal, or come back from it, rank alike bit for bit."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving import Recommender
from recbole_imn.serving.durable import Holder
from recbole_imn.serving.journal import SqliteJournal
from recbole_imn.serving.replica import Replica


def scores(recommender: Recommender) -> np.ndarray:
    """Scores of the whole catalogue for all users, and for one who is new."""
    return recommender.scores([*recommender.users, "nobody"])[1]


def lists(recommender: Recommender):
    return recommender.recommend_many(recommender.users[:20], k=10, exclude="seen")


def assert_same(one: Recommender, other: Recommender) -> None:
    assert one.users == other.users
    assert one.items == other.items
    assert np.array_equal(scores(one), scores(other))
    assert lists(one).equals(lists(other))


def rows(shop, start: int, stop: int) -> dict:
    return shop.events(shop.start + start, shop.start + stop)


def observe(recommender: Recommender, shop, start: int, stop: int) -> None:
    """Events one by one, and a few as one batch at the end."""
    for number in range(start, stop - 5):
        recommender.observe_many(rows(shop, number, number + 1))
    recommender.observe_many(rows(shop, stop - 5, stop))


def test_two_replicas_rank_as_their_writer(shop, places):
    name = places.new()
    writer = shop.recommender(journal=places.open(name))
    following, later = (
        Replica(shop.recommender(), places.open(name, read_only=True)) for _ in range(2)
    )
    following.start()
    observe(writer, shop, 0, 30)
    writer.add_items({"item": ["brand new"], "price": ["9.5"]})
    writer.list_items(["brand new"])
    writer.observe("a stranger", "brand new", time=rows(shop, 30, 31)["time"][0])
    scores(writer)  # states move on at other moments than those of the replicas
    observe(writer, shop, 31, 60)
    assert following.recommender.position > 0
    until = time.monotonic() + 60
    while following.lag and time.monotonic() < until:
        time.sleep(0.01)
    following.stop()
    assert later.catch_up() == writer.journal_offset > 50
    assert_same(writer, following.recommender)
    assert_same(writer, later.recommender)
    untouched = shop.recommender()
    assert not np.array_equal(scores(writer)[:20, :20], scores(untouched)[:20, :20])


@pytest.fixture
def opened(shop, tmp_path: Path):
    """Give a function that opens a holder on the shop's checkpoint, closed in the end."""
    holders: list[Holder[Recommender]] = []

    def open_holder(**options) -> Holder[Recommender]:
        journal = SqliteJournal(tmp_path / "kept" / "journal")
        holders.append(Holder(Recommender.load, journal, tmp_path / "kept", shop.file, **options))
        return holders[-1]

    yield open_holder
    holders[-1].close()


def test_a_snapshot_and_the_rest_of_the_journal_are_what_the_writer_was(opened, shop):
    holder = opened()
    observe(holder.current, shop, 0, 20)
    snapshot = holder.snapshot()
    observe(holder.current, shop, 20, 40)
    writer = holder.current
    holder.journal.close()  # a sudden end
    again = opened()
    assert Recommender.load(snapshot).journal_offset < again.current.journal_offset
    assert_same(writer, again.current)


def test_a_damaged_snapshot_is_passed_over_to_the_one_before(opened, shop, caplog):
    holder = opened()
    for start in (0, 20):
        observe(holder.current, shop, start, start + 20)
        snapshot = holder.snapshot()
    writer = holder.current
    holder.journal.close()
    data = bytearray(snapshot.read_bytes())
    data[len(data) // 2] ^= 1
    snapshot.write_bytes(data)
    assert_same(writer, opened().current)
    assert f"{snapshot} is passed over" in caplog.text


def test_new_weights_take_over_with_all_that_was_observed(opened, shop, make, tmp_path: Path):
    other = tmp_path / "other.pth"
    first = shutil.copy(shop.file, tmp_path / "first.pth")
    make(seed=7)
    shutil.move(shop.file, other)
    shutil.copy(first, shop.file)
    holder = opened()
    observe(holder.current, shop, 0, 20)
    old = holder.current
    holder.swap(other)
    observe(holder.current, shop, 20, 40)
    assert not np.array_equal(scores(old)[:20, :20], scores(holder.current)[:20, :20])
    expected = Recommender.load(other)
    expected.apply([record for _, record in holder.journal.read(0)])
    assert_same(expected, holder.current)
    swapped = holder.current
    holder.close()
    assert_same(swapped, opened().current)


def test_a_forgotten_user_is_nowhere_and_ranks_stay(opened, shop, tmp_path: Path):
    holder = opened()
    user = "annabel@example.org"
    holder.current.observe(user, holder.current.items[0], time=rows(shop, 0, 1)["time"][0])
    observe(holder.current, shop, 1, 20)
    assert user.encode() in holder.snapshot().read_bytes()
    before = scores(holder.current)
    assert holder.current.forget(user)
    holder.finish()
    assert np.array_equal(scores(holder.current), before)
    files = list((tmp_path / "kept").iterdir())
    assert user.encode() not in b"".join(file.read_bytes() for file in files)
    observe(holder.current, shop, 20, 30)
    forgetful = holder.current
    holder.journal.close()
    assert_same(forgetful, opened().current)
    late = Replica(Recommender.load(shop.file), SqliteJournal(files[0].parent / "journal", True))
    with pytest.raises(ServingError, match="users were forgotten since 0"):
        late.catch_up()
    late.journal.close()

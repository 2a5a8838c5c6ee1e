"""States and their journal know each other; a journal outlives the log that it began with."""

import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving import Recommender
from recbole_imn.serving.journal import SqliteJournal
from recbole_imn.serving.journal.marks import check_same, in_own_time, mark_of
from recbole_imn.serving.replica import Replica
from tests.serving.journal.records import event, events
from tests.serving.shops import moment


def test_a_mark_knows_all_but_the_users():
    record = event("u1", "i1", 3.5)
    assert mark_of(record) == mark_of({**record, "user": ["forgotten-1"], "keys": ["k"]})
    assert mark_of(record) != mark_of(event("u1", "i2", 3.5))
    assert mark_of(record) != mark_of(event("u1", "i1", 3.6))


def test_another_journal_is_refused_and_ones_own_is_not(places):
    mine, other = places.open("mine"), places.open("other")
    mine.append(events(0, 9))
    other.append(events(20, 9))
    mark = mark_of(next(iter(mine.read(4, 1)))[1])
    check_same(mine, 5, mark)
    with pytest.raises(ServingError, match="record 5 of the journal is not the one"):
        check_same(other, 5, mark)
    # Nothing is known of states without a mark, or of records that were trimmed.
    check_same(other, 5, "")
    other.trim(5)
    check_same(other, 5, mark)
    mine.forget("u4", "nobody")
    check_same(mine, 5, mark)


def test_a_checkpoint_goes_on_with_its_own_journal_alone(shop, tmp_path):
    journals = [SqliteJournal(tmp_path / name) for name in ("a.db", "b.db")]
    for number, journal in enumerate(journals):
        recommender = shop.recommender(journal=journal)
        item = recommender.items[number]
        for later in range(3):
            recommender.observe(f"u{number}", item, moment(recommender, later))
        recommender.save(tmp_path / f"{number}.pth")
    for number, journal in enumerate(journals):
        assert Recommender.load(tmp_path / f"{number}.pth", journal).journal_offset == 3
        other = tmp_path / f"{1 - number}.pth"
        with pytest.raises(ServingError, match="they are of another journal"):
            Recommender.load(other, journal)
        with pytest.raises(ServingError, match="they are of another journal"):
            Replica(Recommender.load(other), journal)
        journal.close()


def test_times_of_a_log_that_began_otherwise_are_moved():
    record = {**event("u", "i", 100.0), "origin": 1_000.0}
    assert in_own_time(record, 1_000.0) == record
    assert in_own_time(record, None) == record
    assert in_own_time(event("u", "i", 100.0), 5.0)["time"] == [100.0]
    moved = in_own_time(record, 400.0)
    assert (moved["time"], moved["origin"]) == ([700.0], 400.0)
    assert in_own_time({"kind": "list", "at": 1.0, "origin": 10.0}, 4.0)["at"] == 7.0


def test_weights_of_another_log_take_events_at_their_own_moments(shop, tmp_path):
    with_journal = SqliteJournal(tmp_path / "shop.db")
    recommender = shop.recommender(journal=with_journal)
    recommender.observe("u", recommender.items[0], moment(recommender, 60))
    expected = recommender.clock.text(recommender.last_time)
    later = shop.recommender()
    later.clock = type(later.clock)(later.clock.origin - 86_400)
    later.apply([record for _, record in with_journal.read(0)])
    assert later.clock.text(later.last_time) == expected
    with_journal.close()

"""Replicas apply what a writer wrote, all of it and in order, or say why they cannot."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.serving.replica import Replica
from tests.serving.journal.records import Machine, event, events, having_applied, wait_until

# A replica process follows until it is killed; it starts from what it saved last, if anything.
FOLLOWER = """
import os, signal, sys, time
from pathlib import Path
from recbole_imn.serving.journal import RedisJournal, SqliteJournal
from recbole_imn.serving.replica import Replica
from tests.serving.journal.records import Machine
kind, place, saved, end = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
for life in range(4):
    process = os.fork()
    if not process:
        journal = (
            SqliteJournal(place, read_only=True) if kind == "sqlite"
            else RedisJournal(*place.split(" "), read_only=True)
        )
        replica = Replica(Machine.load(saved) if saved.exists() else Machine(), journal)
        replica.start()
        while replica.offset < end:
            time.sleep(0.001)
            replica.recommender.save(saved)
        replica.stop()
        replica.recommender.save(saved)
        os._exit(0)
    if life < 3:
        time.sleep(0.1)
        os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
"""


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(1, 5), max_size=6), st.data())
def test_replicas_are_what_the_writer_is_wherever_they_begin(places, sizes, data):
    name = places.new()
    journal = places.open(name)
    written = events(0, sum(sizes))
    replica = Replica(Machine(), journal)
    for k, size in enumerate(sizes):
        journal.append(written[sum(sizes[:k]) : sum(sizes[:k]) + size])
        if data.draw(st.booleans()):
            replica.catch_up()
    begin = data.draw(st.integers(0, len(written)))
    later = Replica(having_applied(written[:begin]), journal)
    assert later.lag == len(written) - begin
    assert later.catch_up() == len(written) - begin
    replica.catch_up()
    expected = having_applied(written).values()
    assert replica.recommender.values() == later.recommender.values() == expected
    journal.close()


def test_two_replicas_follow_on_threads(places):
    name = places.new()
    writer = places.open(name)
    writer.append(events(0, 3))
    replicas = [Replica(Machine(), places.open(name, read_only=True)) for _ in range(2)]
    for replica in replicas:
        replica.start()
    with pytest.raises(ServingError, match="follows its journal already"):
        replicas[0].start()
    for k in range(3, 30):
        writer.append(events(k, 1))
    wait_until(lambda: all(replica.offset == 30 for replica in replicas))
    for replica in replicas:
        replica.stop()
        assert replica.recommender.values() == having_applied(events(0, 30)).values()


def test_trimmed_records_that_a_replica_needs_are_named(places):
    journal = places.open(places.new())
    journal.append(events(0, 9))
    journal.trim(5)
    replica = Replica(having_applied(events(0, 3)), journal)
    with pytest.raises(ServingError, match="no record 4: it goes on at 6") as refused:
        replica.catch_up()
    assert "\n" not in str(refused.value)
    assert replica.offset == 3
    replica.start()
    wait_until(lambda: replica.failed is not None)
    with pytest.raises(ServingError, match="no record 4"):
        replica.stop()


def test_states_ahead_of_a_journal_are_refused(places):
    journal = places.open(places.new())
    journal.append(events(0, 2))
    with pytest.raises(ServingError, match="the journal ends at 2, and these states are of 5"):
        Replica(having_applied(events(0, 5)), journal).catch_up()


def test_who_knows_a_forgotten_user_by_the_old_name_is_refused(places):
    journal = places.open(places.new())
    journal.append([event("ada"), event("ada")])
    before, following = Replica(Machine(), journal), Replica(Machine(), journal)
    before.catch_up()
    journal.append([{"kind": "forget", "user": "ada", "as": "t"}])
    following.catch_up()
    journal.forget("ada", "t")
    journal.append([event("ada")])
    with pytest.raises(ServingError, match="users were forgotten since 2"):
        before.catch_up()
    assert following.catch_up() == 1
    assert following.recommender.users == ["t", "ada"]


def test_a_replica_that_cannot_go_on_loads_anew(places):
    journal = places.open(places.new())
    journal.append(events(0, 9))
    journal.trim(5)
    replica = Replica(Machine(), journal, reload=lambda: having_applied(events(0, 6)))
    assert replica.catch_up() == 9
    assert replica.recommender.values() == having_applied(events(0, 9)).values()
    journal.trim(8)
    stale = Replica(Machine(), journal, reload=lambda: having_applied(events(0, 6)))
    with pytest.raises(ServingError, match="its writer must take a snapshot"):
        stale.catch_up()


def test_another_recommender_takes_over_without_a_gap(places):
    name = places.new()
    writer = places.open(name)
    writer.append(events(0, 5))
    replica = Replica(Machine(), places.open(name, read_only=True))
    replica.start()
    writer.append(events(5, 5))
    replica.swap(Machine("new"))
    writer.append(events(10, 5))
    wait_until(lambda: replica.offset == 15)
    replica.stop()
    assert replica.recommender.values() == having_applied(events(0, 15), "new").values()


def test_a_recommender_that_counts_otherwise_is_noticed(places):
    class Forgetful(Machine):
        def apply(self, records):
            super().apply(records[:1])

    journal = places.open(places.new())
    journal.append(events(0, 3))
    with pytest.raises(ServingError, match="is at 1, and its journal at 3"):
        Replica(Forgetful(), journal).catch_up()


def test_a_killed_replica_goes_on_from_what_it_saved(places, tmp_path):
    name = places.new()
    writer = places.open(name)
    place = str(tmp_path / name) if places.kind == "sqlite" else f"{places.url} {name}"
    saved, end = tmp_path / "saved", 3000
    command = [sys.executable, "-c", FOLLOWER, places.kind, place, str(saved), str(end)]
    process = subprocess.Popen(command)
    for k in range(0, end, 50):
        writer.append(events(k, 50))
        time.sleep(0.01)
    assert process.wait() == 0
    assert Machine.load(saved).values() == having_applied(events(0, end)).values()

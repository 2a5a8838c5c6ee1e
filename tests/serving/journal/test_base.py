"""What holds for every journal."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal.base import PAGE, anonymous, in_order, to_text
from tests.serving.journal.records import batches, event, events

shared = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@shared
@given(batches)
def test_what_was_appended_is_read_in_any_process(places, written):
    name = places.new()
    journal = places.open(name)
    flat = [record for batch in written for record in batch]
    ends = [journal.append(batch) for batch in written]
    assert ends == [sum(map(len, written[: k + 1])) for k in range(len(written))]
    reader = places.open(name, read_only=True)
    for one in (journal, reader):
        assert one.end == len(flat)
        assert list(one.read(0)) == list(enumerate(flat, 1))
    journal.close()
    reader.close()
    again = places.open(name)
    assert list(again.read(0)) == list(enumerate(flat, 1))
    again.close()


def test_a_journal_keeps_a_token_of_its_own(places):
    name = places.new()
    journal = places.open(name)
    token = journal.identity
    assert len(token) == 32
    assert places.open(name, read_only=True).identity == token
    assert places.open(places.new()).identity != token
    journal.close()
    assert places.open(name).identity == token


@shared
@given(after=st.integers(0, 25), limit=st.integers(0, 25))
def test_reading_begins_after_an_offset_and_ends_at_a_limit(places, after, limit):
    journal = places.open(places.new())
    written = events(0, 20)
    journal.append(written)
    assert [record for _, record in journal.read(after, limit)] == written[after : after + limit]
    journal.close()


def test_many_records_are_read_in_pages(places):
    journal = places.open(places.new())
    assert journal.append(events(0, 2 * PAGE + 7)) == 2 * PAGE + 7
    assert [offset for offset, _ in journal.read(0)] == list(range(1, 2 * PAGE + 8))


def test_an_append_of_nothing_changes_nothing(places):
    journal = places.open(places.new())
    assert journal.append([]) == 0
    journal.append(events(0, 3))
    assert journal.append([]) == 3


@pytest.mark.parametrize("bad", [{"kind": "events", "time": [float("nan")]}, {"a": {1}}, 3])
def test_what_is_no_json_is_refused_and_nothing_of_its_append_is_written(places, bad):
    journal = places.open(places.new())
    with pytest.raises(ServingError, match="record"):
        journal.append([event("u1"), bad])
    assert journal.end == 0


def test_a_second_writer_is_refused_and_readers_are_not(places):
    name = places.new()
    journal = places.open(name)
    with pytest.raises(ServingError, match="has a writer already") as refused:
        places.open(name)
    assert "\n" not in str(refused.value)
    reader = places.open(name, read_only=True) if places.kind == "redis" else None
    journal.append(events(0, 2))
    reader = reader or places.open(name, read_only=True)
    assert reader.end == 2
    with pytest.raises(ServingError, match="opened to be read"):
        reader.append(events(2, 1))
    journal.close()
    assert places.open(name).append(events(2, 1)) == 3


def test_a_closed_journal_says_so(places):
    journal = places.open(places.new())
    journal.close()
    journal.close()
    for use in (lambda: journal.append(events(0, 1)), lambda: list(journal.read(0))):
        with pytest.raises(ServingError, match="is closed"):
            use()


def test_following_waits_for_what_comes(places):
    name = places.new()
    writer = places.open(name)
    writer.append(events(0, 2))
    reader = places.open(name, read_only=True)
    assert [offset for offset, _ in reader.follow(0, 10.0)] == [1, 2]
    assert reader.follow(2, 0.05) == []
    found: list = []
    thread = threading.Thread(target=lambda: found.extend(reader.follow(2, 30.0)))
    thread.start()
    writer.append(events(2, 1))
    thread.join()
    assert found == [(3, events(2, 1)[0])]


def test_threads_append_whole_batches(places):
    journal = places.open(places.new())
    ends: list = []

    def write(user: str) -> None:
        ends.extend(journal.append([event(user), event(user)]) for _ in range(10))

    threads = [threading.Thread(target=write, args=(f"u{k}",)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == list(range(2, 82, 2))
    users = [record["user"] for _, record in journal.read(0)]
    assert users[::2] == users[1::2]


def test_trimmed_records_are_missed_by_who_needs_them(places):
    journal = places.open(places.new())
    journal.append(events(0, 9))
    assert journal.start == 0
    journal.trim(4)
    assert journal.start == 4
    assert [offset for offset, _ in journal.read(4)] == [5, 6, 7, 8, 9]
    with pytest.raises(ServingError, match="no record 4: it goes on at 5"):
        list(journal.read(3))
    with pytest.raises(ServingError, match="the last record always stays"):
        journal.trim(9)
    assert journal.append(events(9, 1)) == 10


def test_forgetting_changes_a_user_and_nothing_else(places):
    name = places.new()
    journal = places.open(name)
    assert journal.rewritten == 0
    both = {**event("ada"), "user": ["ada", "bob", "ada"], "item": ["ada", "i", "j"]}
    journal.append([both, event("bob"), {"kind": "forget", "user": "ada", "as": "t"}])
    journal.forget("ada", "t")
    read = [record for _, record in journal.read(0)]
    assert read == [
        {**both, "user": ["t", "bob", "t"]},
        event("bob"),
        {"kind": "forget", "user": "t", "as": "t"},
    ]
    assert journal.rewritten == 3
    assert journal.append([event("ada")]) == 4
    assert places.open(name, read_only=True).rewritten == 3


def test_forgetting_reaches_up_to_its_own_record(places):
    journal = places.open(places.new())
    journal.append([event("ada"), {"kind": "forget", "user": "ada", "as": "t"}, event("ada")])
    journal.forget("ada", "t")
    assert [record["user"] for _, record in journal.read(0)] == [["t"], "t", ["ada"]]
    assert journal.rewritten == 2
    journal.append([{"kind": "forget", "user": "ada", "as": "s"}])
    journal.forget("ada", "s")
    assert [record["user"] for _, record in journal.read(0)] == [["t"], "t", ["s"], "s"]
    assert journal.rewritten == 4


def test_nobody_is_replaced_by_themselves(places):
    with pytest.raises(ServingError, match="by itself"):
        places.open(places.new()).forget("ada", "ada")


def test_a_forgotten_id_is_replaced_where_it_is_a_user_only():
    assert anonymous(event("ada"), "bob", "t") is None
    assert anonymous({"kind": "list", "item": ["ada"], "at": 0.0}, "ada", "t") is None


def test_a_missing_record_is_noticed():
    with pytest.raises(ServingError, match="no record 3: it goes on at 4"):
        list(in_order([(2, {}), (4, {})], 1, "j"))


def test_text_is_of_one_line_in_ascii():
    assert to_text({"user": ["ü\n\ud800"]}).isascii()
    assert "\n" not in to_text({"user": ["ü\n\ud800"]})

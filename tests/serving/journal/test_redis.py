"""The journal in Redis: what it asks of a server, and what survives a server that dies."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal import RedisJournal
from recbole_imn.serving.journal import redis_server as server
from tests.serving.journal.records import event, events
from tests.serving.journal.running_redis import DURABLE, RunningRedis


@pytest.fixture
def journal(redis_server: RunningRedis, request):
    opened = RedisJournal(redis_server.url, request.node.name)
    yield opened
    opened.close()


def test_a_server_that_may_lose_records_is_refused(tmp_path: Path):
    careless = RunningRedis(tmp_path, "--appendonly", "yes").start()
    try:
        with pytest.raises(ServingError, match="set appendfsync always in its") as refused:
            RedisJournal(careless.url, "j")
        assert "\n" not in str(refused.value)
        journal = RedisJournal(careless.url, "j", require_fsync=False)
        assert journal.append(events(0, 3)) == 3
        journal.close()
    finally:
        careless.kill()


def test_a_server_that_may_evict_records_is_refused(tmp_path: Path):
    limits = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    careless = RunningRedis(tmp_path, *DURABLE, *limits).start()
    try:
        with pytest.raises(ServingError, match="maxmemory-policy noeviction"):
            RedisJournal(careless.url, "j")
    finally:
        careless.kill()


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(ServingError, match="cannot be reached") as refused:
        RedisJournal("redis://127.0.0.1:1/0", "j")
    assert "\n" not in str(refused.value)
    with pytest.raises(ServingError, match="is no url"):
        RedisJournal("nowhere", "j")


def test_what_is_no_journal_is_refused(redis_server: RunningRedis):
    client = server.connect(redis_server.url, None)
    client.set("{text}:records", "x")
    client.xadd("{other}:records", {"a": "b"})
    with pytest.raises(ServingError, match="is a string, no journal"):
        RedisJournal(redis_server.url, "text")
    with pytest.raises(ServingError, match="is no journal"):
        RedisJournal(redis_server.url, "other")
    client.close()


def test_a_damaged_record_is_noticed(redis_server: RunningRedis, journal: RedisJournal):
    client = server.connect(redis_server.url, None)
    client.xadd(journal._keys[0], {"record": '{"kind": '}, id="1-0")
    with pytest.raises(ServingError, match=r"record 1 of the journal .* is damaged"):
        list(journal.read(0))
    client.close()


def test_a_writer_that_was_replaced_writes_nothing(
    redis_server: RunningRedis, journal: RedisJournal
):
    journal.append(events(0, 2))
    newer = RedisJournal(redis_server.url, journal.name, take_over=True)
    with pytest.raises(ServingError, match="has another writer now"):
        journal.append(events(2, 1))
    with pytest.raises(ServingError, match="has another writer now"):
        journal.forget("u0", "t")
    assert newer.append(events(2, 1)) == 3
    assert [record for _, record in newer.read(0)] == events(0, 3)
    newer.close()


def test_a_writer_is_known_by_its_connections_after_a_restart_as_well(
    redis_server: RunningRedis, journal: RedisJournal
):
    journal.append(events(0, 1))
    redis_server.kill()
    redis_server.start()
    journal.append(events(1, 1))
    with pytest.raises(ServingError, match="has a writer already"):
        RedisJournal(redis_server.url, journal.name)
    # Whoever has lost its connections cannot be told from one that has ended.
    journal._client.connection_pool.disconnect()
    newer = RedisJournal(redis_server.url, journal.name)
    assert newer.append(events(2, 1)) == 3
    with pytest.raises(ServingError, match="has another writer now"):
        journal.append(events(2, 1))
    newer.close()


def test_an_append_whose_answer_was_lost_is_written_once(
    journal: RedisJournal, monkeypatch: pytest.MonkeyPatch
):
    import redis

    send, lost = journal._client.eval, [True]

    def lose_the_answer(*arguments):
        answer = send(*arguments)
        if lost.pop():
            lost.append(False)
            raise redis.ConnectionError("connection lost")
        lost.append(False)
        return answer

    journal.append(events(0, 2))
    monkeypatch.setattr(journal._client, "eval", lose_the_answer)
    assert journal.append(events(2, 2)) == 4
    assert journal.append(events(4, 1)) == 5
    assert [record for _, record in journal.read(0)] == events(0, 5)


def test_what_somebody_else_wrote_is_not_taken_for_ours(
    redis_server: RunningRedis, journal: RedisJournal
):
    journal.append(events(0, 2))
    client = server.connect(redis_server.url, None)
    client.xadd(journal._keys[0], {"record": "{}"}, id="3-0")
    with pytest.raises(ServingError, match="does not end where this writer left it"):
        journal.append(events(2, 1))
    assert journal.end == 3
    client.close()


def test_a_server_that_dies_in_mid_stream_loses_nothing(
    redis_server: RunningRedis, journal: RedisJournal
):
    reader = RedisJournal(redis_server.url, journal.name, read_only=True)
    ends: list[int] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            ends.append(journal.append(events(ends[-1] if ends else 0, 2)))

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(3):
        seen = len(ends)
        while len(ends) < seen + 20:
            time.sleep(0.01)
        redis_server.kill()
        redis_server.start()
    stop.set()
    thread.join()
    assert ends == list(range(2, 2 * len(ends) + 1, 2))
    assert [record for _, record in reader.read(0)] == events(0, ends[-1])
    assert len(reader.follow(0, 5.0, limit=7)) == 7
    reader.close()


def test_who_waits_waits_on_while_the_server_is_away(
    redis_server: RunningRedis, journal: RedisJournal
):
    reader = RedisJournal(redis_server.url, journal.name, read_only=True)
    found: list = []
    thread = threading.Thread(target=lambda: found.extend(reader.follow(0, 30.0)))
    thread.start()
    redis_server.kill()
    redis_server.start()
    journal.append(events(0, 1))
    thread.join()
    assert found == [(1, events(0, 1)[0])]
    reader.close()


def test_a_server_that_lost_records_is_noticed(redis_server: RunningRedis, journal: RedisJournal):
    journal.append(events(0, 3))
    client = server.connect(redis_server.url, None)
    client.xdel(journal._keys[0], "3-0")
    client.close()
    with pytest.raises(ServingError, match="has lost records"):
        journal.append(events(3, 1))


def test_patience_ends(tmp_path: Path):
    brief = RunningRedis(tmp_path, *DURABLE).start()
    journal = RedisJournal(brief.url, "j", patience=0.2)
    journal.append(events(0, 1))
    brief.kill()
    with pytest.raises(ServingError, match="cannot be reached"):
        journal.append(events(1, 1))
    journal.close()


def test_a_forgotten_id_is_in_no_byte_of_the_servers_files(tmp_path: Path):
    own = RunningRedis(tmp_path, *DURABLE).start()
    try:
        journal = RedisJournal(own.url, "j")
        journal.append([event(f"annabel{k % 2}", f"i{k}") for k in range(1500)])
        assert b"annabel1" in own.bytes_of_files()
        journal.forget("annabel1", "t")
        found = own.bytes_of_files()
        assert b"annabel1" not in found
        assert b"annabel0" in found
        assert journal.append([event("b")]) == 1501
        journal.close()
        own.kill()
        own.start()
        again = RedisJournal(own.url, "j")
        users = [record["user"][0] for _, record in again.read(0)]
        assert users == ["annabel0", "t"] * 750 + ["b"]
        again.close()
    finally:
        own.kill()

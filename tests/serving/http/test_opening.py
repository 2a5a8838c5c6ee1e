"""Ways to serve a checkpoint."""

from __future__ import annotations

import threading

import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving import Policies
from recbole_imn.serving.http import Served, opening
from recbole_imn.serving.http.background import Background
from recbole_imn.serving.http.opening import Opening, Running


@pytest.fixture
def make_opening(checkpoint, tmp_path):
    """Give a function that says how to serve the checkpoint over a journal."""

    def make(follow: bool = False) -> Opening:
        journal, folder = str(tmp_path / "journal.db"), tmp_path / "snapshots"
        return Opening(checkpoint, Policies(), journal, follow, folder, 1000)

    return make


def test_a_replica_is_where_its_writer_is_and_tells_how_far_behind(make_opening, event):
    writer = make_opening().open()
    writer.current().observe(**event)
    replica = make_opening(follow=True).open()
    assert replica.lag() == 0
    assert replica.fault() is None
    assert replica.current().position == writer.current().position
    replica.close()
    # It follows no more.
    writer.current().observe(**{**event, "time": event["time"] + 1})
    writer.close()


def test_what_was_written_is_there_when_it_is_opened_again(make_opening, event):
    first = make_opening().open()
    position = first.current().observe(**event).position
    first.close()
    second = make_opening().open()
    assert second.current().position == position
    second.close()


def test_without_a_journal_the_checkpoint_stays_as_it_is(checkpoint, event, recommender, tmp_path):
    before = checkpoint.read_bytes()
    alone = Opening(checkpoint, Policies(), None, False, tmp_path / "snapshots", 1)
    for _ in range(2):
        running = alone.open()
        assert running.current().observe(**event).position == recommender.position + 1
        running.close()
    assert checkpoint.read_bytes() == before
    assert not (tmp_path / "snapshots").exists()


def test_a_journal_is_given_back_when_nothing_comes_of_it(make_opening, monkeypatch):
    def fails(recommender):
        raise ServingError("too cold")

    with monkeypatch.context() as patch:
        patch.setattr(opening, "warm_up", fails)
        with pytest.raises(ServingError, match="too cold"):
            make_opening().open()
    make_opening().open().close()


def test_a_second_writer_is_refused(make_opening):
    first = make_opening().open()
    with pytest.raises(ServingError):
        make_opening().open()
    first.close()


def test_a_fault_ends_the_service(recommender):
    served, failed, closed = Served(), threading.Event(), threading.Event()
    fault = ServingError("records are missing")
    running = Running(lambda: recommender, fault=lambda: fault, close=closed.set)
    background = Background(served, lambda: running, failed.set)
    background.start()
    assert failed.wait(10)
    with pytest.raises(ServingError, match="records are missing"):
        background.stop()
    assert closed.is_set()


def test_what_cannot_be_opened_is_told_when_the_service_stops():
    def fails():
        raise ServingError("no checkpoint")

    served, failed = Served(), threading.Event()
    background = Background(served, fails, failed.set)
    background.start()
    assert failed.wait(10)
    assert not served.ready
    with pytest.raises(ServingError, match="no checkpoint"):
        background.stop()

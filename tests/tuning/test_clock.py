"""What a trial has spent, and when it must end."""

import os
import sys
from threading import Thread

import numba
import pytest

from recbole_imn.tuning.clock import KEPT_EVERY, Clock, TimeUp, compiling_is_free, processor_seconds


class Hand:
    """A time that is moved by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def make():
    """Give a function that makes a clock and the hand that moves it."""

    def clock(limit=100.0, first_is_free=False, keep=lambda spent: None):
        hand = Hand()
        return Clock(limit, first_is_free, keep, hand), hand

    return clock


def test_batches_end_with_the_limit(make):
    clock, hand = make()
    hand.now += 100
    clock.batch()
    hand.now += 1
    with pytest.raises(TimeUp):
        clock.batch()


def test_the_first_epoch_may_be_free(make):
    clock, hand = make(first_is_free=True)
    hand.now += 500
    clock.batch()
    with pytest.raises(TimeUp):
        clock.epoch()
    with pytest.raises(TimeUp):
        clock.batch()


def test_no_epoch_begins_that_would_end_too_late(make):
    clock, hand = make()
    for seconds in (20, 40):
        hand.now += seconds
        clock.epoch()
    hand.now += 10  # 70 are spent, and an epoch may take 40
    with pytest.raises(TimeUp):
        clock.epoch()


def test_what_was_spent_is_kept_now_and_then(make):
    kept = []
    clock, hand = make(keep=kept.append)
    for _ in range(40):
        hand.now += 1
        clock.batch()
    assert kept == [KEPT_EVERY * (n + 1) for n in range(4)]


def test_pauses_do_not_count(make):
    clock, hand = make()
    hand.now += 5
    with clock.paused():
        hand.now += 1000
    assert clock.spent == 5
    clock.batch()


def test_compiling_is_a_pause(make):
    clock, hand = make()

    @numba.njit
    def add(a):
        return a + 1

    def moved():
        hand.now += 7
        return hand.now

    clock._now = moved  # every look at the time takes 7 s
    with compiling_is_free(clock):
        before = clock._start
        add(1)
        assert clock._start == before + 7
        add(2)  # compiled already
        assert clock._start == before + 7


@pytest.mark.skipif(sys.platform == "win32", reason="counts no children there")
def test_every_thread_and_child_counts():
    before = processor_seconds()
    assert processor_seconds() >= before
    own = sum(os.times()[:2])

    def busy():
        while sum(os.times()[:2]) < own + 0.2:
            pass

    thread = Thread(target=busy)
    thread.start()
    thread.join()
    assert processor_seconds() >= before + 0.19

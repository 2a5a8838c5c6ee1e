"""Answers that are given again."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.serving.http.idempotency import KeptAnswers


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40))
def test_what_succeeds_is_done_once_and_what_fails_is_tried_again(requests):
    answers, done = KeptAnswers[int](100), dict[int, int]()
    for number, (key, fails) in enumerate(requests):

        def make(number=number, fails=fails):
            if fails:
                raise ServingError("no")
            return number

        if key in done or not fails:
            expected = done.setdefault(key, number)
            assert answers.once(str(key), "same", make) == expected
        else:
            with pytest.raises(ServingError, match="no"):
                answers.once(str(key), "same", make)


def test_only_the_latest_answers_are_kept():
    answers = KeptAnswers[int](2)
    for number in range(3):
        answers.once(str(number), "same", lambda number=number: number)
    assert answers.once("2", "same", lambda: 9) == 2
    assert answers.once("1", "same", lambda: 9) == 1
    assert answers.once("0", "same", lambda: 9) == 9


def test_a_twin_waits_for_the_answer():
    answers, begun, go = KeptAnswers[str](10), threading.Event(), threading.Event()

    def slow():
        begun.set()
        go.wait(10)
        return "slow"

    found = []
    ask = lambda make: found.append(answers.once("k", "same", make))  # noqa: E731
    first = threading.Thread(target=ask, args=(slow,))
    first.start()
    begun.wait(10)
    second = threading.Thread(target=ask, args=(lambda: "fast",))
    second.start()
    go.set()
    first.join(10)
    second.join(10)
    assert found == ["slow", "slow"]


def test_a_key_stands_for_one_content():
    answers = KeptAnswers[int](10)
    answers.once("k", "one", lambda: 1)
    with pytest.raises(ServingError, match="another content"):
        answers.once("k", "other", lambda: 2)

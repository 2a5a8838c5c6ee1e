"""Candidates of rows: where they come from, and that nothing later is among them."""

import numpy as np
import pytest

from recbole_imn.baselines.candidates import (
    FIRST_OF_FIELDS,
    FIRST_OF_USER,
    FIRST_TREND,
    OF_SOURCE,
    CandidateSources,
)
from recbole_imn.baselines.item_fields import ItemFields
from recbole_imn.model.sources.base import N_NUMBERS
from recbole_imn.past import Past
from tests.session.streams import with_other_future


@pytest.fixture
def log(prepare):
    return prepare("LambdaRank")[1].log


def no_fields(log):
    return ItemFields(np.zeros((log.n_items, 0), np.float32), {}, np.ones(log.n_items, bool))


def candidates_of(log, events, fields=None):
    past = Past(log)
    past.move_to(len(log))
    return CandidateSources(log.n_items, fields or no_fields(log)).of_rows(past, np.asarray(events))


def rows_of(found):
    return [
        (found.items[start:stop], found.columns[start:stop])
        for start, stop in zip(found.starts[:-1], found.starts[1:], strict=True)
    ]


def test_candidates_are_distinct_and_each_has_a_source(log):
    for items, columns in rows_of(candidates_of(log, [0, 1, 50, 299])):
        assert len(set(items.tolist())) == len(items)
        assert (items > 0).all()
        slots = [source * OF_SOURCE + N_NUMBERS for source in range(3)]
        slots += [FIRST_TREND + 1, FIRST_TREND + 3]
        assert (~np.isnan(columns[:, slots])).any(axis=1).all()
        assert not np.isnan(columns[:, FIRST_OF_USER:FIRST_OF_FIELDS]).any()


def test_own_items_come_first_with_their_slots(log):
    event = 250
    own = [k for k in range(event) if log.user[k] == log.user[event]][::-1]
    expected = list(dict.fromkeys(log.item[own].tolist()))[:20]
    ((items, columns),) = rows_of(candidates_of(log, [event]))
    assert items[: len(expected)].tolist() == expected
    assert columns[: len(expected), N_NUMBERS].tolist() == list(range(len(expected)))
    assert np.isnan(columns[len(expected) :, N_NUMBERS]).all()


def test_rows_are_the_same_alone_and_together_whatever_comes_later(log):
    events = [40, 180, 181, 240]
    together = rows_of(candidates_of(log, events))
    for event, (items, columns) in zip(events, together, strict=True):
        for other in (log, with_other_future(log, event, seed=2)):
            ((alone, numbers),) = rows_of(candidates_of(other, [event]))
            assert np.array_equal(alone, items)
            assert np.array_equal(numbers, columns, equal_nan=True)


def test_fields_come_after_all_else_and_change_none_of_it(log):
    prices = np.arange(log.n_items, dtype=np.float32)[:, None]
    fields = ItemFields(prices, {"price": 1}, np.arange(len(prices)) > 0)
    ((items, columns),) = rows_of(candidates_of(log, [250], fields))
    ((plain_items, plain),) = rows_of(candidates_of(log, [250]))
    assert np.array_equal(items, plain_items)
    assert np.array_equal(columns[:, :FIRST_OF_FIELDS], plain, equal_nan=True)
    own = [k for k in range(250) if log.user[k] == log.user[250]][::-1]
    latest = list(dict.fromkeys(log.item[own].tolist()))[:10]
    assert np.allclose(columns[:, FIRST_OF_FIELDS], items - np.mean(latest))
    assert np.array_equal(columns[:, FIRST_OF_FIELDS + 1], items)

"""Versions of moving items against a plain loop."""

import numpy as np
import pytest

from recbole_imn.stream import EventStream, plan_window
from recbole_imn.stream.versions import item_versions
from tests.stream.naive import random_stream_columns


@pytest.mark.parametrize("chunk", [1, 7, 100])
@pytest.mark.parametrize("seed", range(3))
def test_every_row_sees_the_newest_state_before_it(seed, chunk):
    rng = np.random.default_rng(seed)
    stream = EventStream.from_columns(**random_stream_columns(rng, 60, 6, 8))
    start, stop = 15, 55
    plan = plan_window(stream, start, stop)
    items = rng.integers(1, 9, 5)
    places = np.flatnonzero(rng.random(stop - start) < 0.7)
    versions = item_versions(plan, places, items, chunk)
    written = [None] * len(items) + [
        start + key % (stop - start) for key in plan.item_keys[versions.keys]
    ]
    assert [piece.start for piece in versions.chunks] == list(range(0, len(places), chunk))
    for piece in versions.chunks:
        for row, columns in zip(range(piece.start, piece.stop), piece.columns, strict=True):
            for item, (place, column) in zip(items, enumerate(columns), strict=True):
                before = [
                    event
                    for event in range(start, start + places[row])
                    if stream.item[event] == item
                ]
                version = piece.table[column]
                expected = before[-1] if before else None
                assert written[version] == expected
                if expected is None:
                    assert items[version] == items[place]


def test_a_chunk_holds_no_more_than_its_rows_can_see():
    rng = np.random.default_rng(0)
    stream = EventStream.from_columns(**random_stream_columns(rng, 60, 6, 8))
    plan = plan_window(stream, 0, 60)
    versions = item_versions(plan, np.arange(60), np.arange(1, 9), 10)
    assert len(versions.keys) == 60
    assert max(len(piece.table) for piece in versions.chunks) <= 8 + 9


def test_items_that_nobody_touches_have_one_version():
    stream = EventStream.from_columns([1, 1, 2], [1, 2, 1], [0.0, 1.0, 2.0], n_items=5)
    versions = item_versions(plan_window(stream, 0, 3), np.arange(3), np.array([3, 4]), 2)
    assert len(versions.keys) == 0
    for piece in versions.chunks:
        assert piece.columns.tolist() == [[0, 1]] * (piece.stop - piece.start)
        # torch warns of arrays that cannot be written to.
        assert piece.columns.flags.writeable

"""Stays on the shelf that begin, end, and go on."""

import numpy as np

from recbole_imn.serving.shelf import OpenShelf


def test_who_is_listed_again_stays_beyond_the_end_that_was_told():
    shelf = OpenShelf(np.empty(0, np.int64), np.empty(0), np.empty(0))
    shelf.list_items([1, 2], 0.0)
    shelf.delist_items([1, 2], 100.0)
    before = shelf.end
    shelf.list_items([1], 50.0)
    assert [shelf.on_shelf(at).tolist() for at in (40, 60, 200)] == [[1, 2], [1, 2], [1]]
    assert (before < 100).all()
    # One whose stay has ended begins another.
    shelf.list_items([2], 150.0)
    assert [shelf.on_shelf(at).tolist() for at in (120, 160)] == [[1], [1, 2]]

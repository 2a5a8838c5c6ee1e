"""What item fields tell of candidates."""

import numpy as np

from recbole_imn.baselines.item_fields import LATEST, ItemFields

# Brand (three categories, scaled as a data set scales them), price, and a vector of two numbers.
FEATURES = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [2, -0.5, -1, 10, 0, 0],
        [-0.5, 2, -1, 20, 3, 4],
        [-0.5, 2, -1, 40, 0, 8],
        [-0.5, -0.5, 1, 80, 6, 0],
    ],
    np.float32,
)
WIDTHS = {"brand": 3, "price": 1, "image": 2}
SEEN = np.array([False, True, True, True, True])


def told(own, items, fields=None):
    fields = fields or ItemFields(FEATURES, WIDTHS, SEEN)
    out = np.full((len(items), fields.n_columns), np.nan, np.float32)
    starts = np.array([0, len(items)])
    fields.fill(np.array([own]), np.array(items), starts, out)
    return out


def test_distances_are_to_the_mean_of_own_items_and_numbers_are_told_as_they_are():
    out = told([2, 3, 0, 0], [1, 2, 4])
    # Both own items have the second brand; a category is 0 or 1, whatever it was scaled to.
    assert out[:, 0].tolist() == [2, 0, 2]
    assert out[:, 1].tolist() == [-20, -10, 50]
    assert out[:, 2].tolist() == [1.5**2 + 6**2, 1.5**2 + 2**2, 4.5**2 + 6**2]
    assert out[:, 3].tolist() == [10, 20, 80]


def test_an_item_that_nobody_has_seen_moves_nothing_that_is_told_of_others():
    """Flags are 0 and 1 whatever a later listing has in their place."""
    flags = np.array([[0, 0], [2, -1], [-2, 1], [2, 1], [0, 0.5]], np.float32)
    seen = np.array([False, True, True, True, False])
    for late in ([2, -1], [0, 0.5]):
        flags[4] = late
        out = told([1, 0], [2, 3], ItemFields(flags, {"flags": 2}, seen))
        assert out.tolist() == [[2], [1]]


def test_only_the_latest_items_are_looked_at():
    many = [2] * LATEST + [4]
    assert np.array_equal(told(many, [1, 3]), told([2], [1, 3]))


def test_without_own_items_distances_are_missing_and_numbers_are_not():
    out = told([0, 0], [1, 4])
    assert np.isnan(out[:, :3]).all()
    assert out[:, 3].tolist() == [10, 80]


def test_items_without_fields_have_no_columns():
    fields = ItemFields(np.zeros((5, 0), np.float32), {}, SEEN)
    assert fields.n_columns == 0
    assert told([1], [2, 3], fields).shape == (2, 0)


def test_each_row_is_told_of_its_own_candidates():
    fields = ItemFields(FEATURES, WIDTHS, SEEN)
    out = np.empty((5, fields.n_columns), np.float32)
    own, items = np.array([[2, 3], [1, 0]]), np.array([1, 2, 4, 3, 4])
    fields.fill(own, items, np.array([0, 3, 5]), out)
    assert np.array_equal(out[:3], told([2, 3], [1, 2, 4]))
    assert np.array_equal(out[3:], told([1], [3, 4]))

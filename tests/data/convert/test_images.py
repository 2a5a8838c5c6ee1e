"""Image vectors are reduced without losing what varies most."""

import numpy as np
import pytest

from recbole_imn.data.atomic import DataError
from recbole_imn.data.convert.images import principal_components, read_images


def test_components_keep_distances_of_vectors_in_a_plane():
    rng = np.random.default_rng(0)
    plane = np.linalg.qr(rng.normal(size=(10, 2)))[0]
    vectors = rng.normal(size=(50, 2)) @ plane.T + 3
    reduced = principal_components(vectors, 2)
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.testing.assert_allclose(np.linalg.norm(reduced[:, None] - reduced, axis=2), distances)
    assert reduced[:, 0].var() > reduced[:, 1].var()


def test_a_matrix_with_ids_is_a_row_an_item(tmp_path):
    np.save(tmp_path / "cars.npy", np.eye(3, 5))
    (tmp_path / "cars.ids.txt").write_text("c1\nc2\nc3\n")
    images = read_images(tmp_path / "cars.npy", 2)
    assert images["item_id"].to_list() == ["c1", "c2", "c3"]
    assert all(len(text.split()) == 2 for text in images["image"])


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (np.eye(3), "a\nb\n", "2 distinct ids"),
        (np.eye(2), "a\na\n", "1 distinct ids"),
        (np.array([[1.0, np.nan]]), "a\n", "item 'a' holds NaN"),
        (np.array([{}]), "a\n", "no array of numbers"),
        (None, "a\n", "no such file"),
    ],
)
def test_vectors_that_do_not_fit_are_one_line(tmp_path, vectors, ids, message):
    if vectors is not None:
        np.save(tmp_path / "cars.npy", vectors, allow_pickle=True)
    (tmp_path / "cars.ids.txt").write_text(ids)
    with pytest.raises(DataError, match=message):
        read_images(tmp_path / "cars.npy", 2)


def test_an_empty_folder_and_uneven_vectors_are_named(tmp_path):
    with pytest.raises(DataError, match=r"has no files ITEM\.npy"):
        read_images(tmp_path, 2)
    np.save(tmp_path / "a.npy", np.zeros(3))
    np.save(tmp_path / "b.npy", np.zeros(4))
    with pytest.raises(DataError, match=r"has 4 numbers, but a\.npy has 3"):
        read_images(tmp_path, 2)

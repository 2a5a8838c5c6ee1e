"""Image vectors are written as they are, whatever other items there are."""

import numpy as np
import pytest

from recbole_imn.data.convert.images import read_images
from recbole_imn.errors import DataError


def test_a_matrix_with_ids_is_a_row_an_item_as_it_is(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    np.save(tmp_path / "cars.npy", vectors)
    (tmp_path / "cars.ids.txt").write_text("c1\nc2\nc3\n")
    images, _ = read_images(tmp_path / "cars.npy", 2)
    assert images["item_id"].to_list() == ["c1", "c2", "c3"]
    found = [[float(number) for number in text.split()] for text in images["image"]]
    np.testing.assert_allclose(found, vectors, rtol=1e-5)


def test_an_item_has_the_same_vector_whatever_other_items_there_are(tmp_path):
    np.save(tmp_path / "c1.npy", np.arange(4.0))
    alone = read_images(tmp_path, 2)[0]["image"][0]
    np.save(tmp_path / "c2.npy", np.full(4, 1e6))
    assert read_images(tmp_path, 2)[0]["image"][0] == alone


@pytest.mark.parametrize(
    ("n_numbers", "width", "said"),
    [
        (8, 32, "8 numbers an item"),
        (64, 32, "keeps 32 components that are found in its own part"),
        (64, 16, "its own part; train with reduced_features: {image: 16}"),
    ],
)
def test_the_summary_says_what_becomes_of_the_vectors(tmp_path, n_numbers, width, said):
    np.save(tmp_path / "c1.npy", np.arange(float(n_numbers)))
    assert read_images(tmp_path, width)[1].endswith(said)


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

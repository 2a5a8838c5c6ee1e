"""Principal components keep what varies most, and each row by itself."""

import numpy as np
import pytest

from recbole_imn.data.components import Components


def plane(n=50, n_features=10):
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(n_features, 2)))[0]
    return rng.normal(size=(n, 2)) @ axes.T + 3


def test_components_keep_distances_of_vectors_in_a_plane():
    vectors = plane()
    reduced = Components.fit(vectors, 2)(vectors)
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.testing.assert_allclose(np.linalg.norm(reduced[:, None] - reduced, axis=2), distances)
    assert reduced[:, 0].var() > reduced[:, 1].var()


@pytest.mark.parametrize(("n", "width"), [(50, 2), (2, 1), (1, 0)])
def test_no_component_is_made_of_rounding_alone(n, width):
    # Its training values would be scaled up to 1, and others' with them.
    assert Components.fit(plane(n), 5).axes.shape == (width, 10)


def test_equal_vectors_have_no_component():
    # Means of 0.1s are off by a bit.
    assert Components.fit(np.full((1001, 8), 0.1), 4).axes.shape == (0, 8)


def test_a_row_is_projected_to_the_same_bits_in_any_company():
    vectors = np.random.default_rng(1).normal(size=(33, 512))
    components = Components.fit(vectors, 16)
    together = components(vectors)
    alone = np.concatenate([components(vectors[row : row + 1]) for row in range(33)])
    assert together.tobytes() == alone.tobytes()


def test_plain_values_give_the_same_projection():
    vectors = np.random.default_rng(1).normal(size=(20, 6))
    components = Components.fit(vectors, 3)
    again = Components.from_values(components.to_values())
    assert again(vectors).tobytes() == components(vectors).tobytes()

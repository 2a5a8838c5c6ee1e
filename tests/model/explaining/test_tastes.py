"""Columns of descriptions belong to the features that they describe."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.model.explaining.tastes import features_of_columns
from recbole_imn.model.terms.taste import describe


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 9999), n_values=st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_each_column_moves_with_its_feature_alone(seed, n_values):
    generator = torch.Generator().manual_seed(seed)
    known = torch.stack(
        [torch.randint(n, (30,), generator=generator).float() for n in n_values], dim=1
    )
    reference = known.sort(dim=0).values
    owner = features_of_columns(reference)
    items = torch.cat([known[:1], known])
    described = describe(items, reference)
    assert described.shape[1] == len(owner)
    for feature in range(len(n_values)):
        moved = items.clone()
        moved[:, feature] += 10
        columns = (describe(moved, reference) != described).any(dim=0).nonzero()[:, 0]
        assert set(columns.tolist()) == set((owner == feature).nonzero()[:, 0].tolist())

"""A model with every kind of part."""

import pytest

from tests.conftest import PRICED
from tests.session.streams import learn


@pytest.fixture
def plus(prepare):
    """The session of a trained IMNNetPlus with a resource branch and features of items."""
    model = prepare("IMNNetPlus", **PRICED, resource_branch="simplified")[-1]
    learn(model.session)
    return model.session

"""Small trainings from the seed."""

from __future__ import annotations

import pytest

from recbole_imn.preparation import prepare
from tests.reliability.resume.stopping import EPOCHS, OFTEN, WINDOW


@pytest.fixture
def start(make_config):
    """Give a function that makes a trainer and its loaders, each time from the seed."""

    def make(model: str, **options):
        options = {"epochs": EPOCHS, "train_batch_size": WINDOW, "resume_minutes": OFTEN, **options}
        _, loaders, trainer = prepare(make_config(model, **options))
        return trainer, loaders

    return make

"""Classes of tests' own, forgotten when a test is over."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from recbole_imn import own_models


@contextmanager
def forgotten_afterwards() -> Iterator[None]:
    """Let no class that is registered meanwhile stay registered."""
    before = set(own_models.names())
    yield
    for name in set(own_models.names()) - before:
        unregister(name)


def unregister(name: str) -> None:
    """Take a class out of our lists and of RecBole's modules."""
    del own_models._classes[name]
    del sys.modules[f"recbole.model.sequential_recommender.{name.lower()}"]
    own_models.compat.extra_model_names.discard(name)
    for rooms, kind in own_models.ROOMS:
        vars(rooms).pop(f"{name}{kind}", None)

"""Small networks in float64 with random weights, for comparisons with plain loops."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch

import recbole_imn
from recbole_imn.log import EventLog
from recbole_imn.model.build import build_network
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import SETTINGS, NetworkSettings
from recbole_imn.past import Past
from recbole_imn.settings_files import read_settings
from tests.stream.naive import random_stream_columns

PROPERTIES = Path(recbole_imn.__file__).parent / "properties" / "model"


def settings_of(model):
    """What the property file of a model says to its network."""
    values = read_settings(PROPERTIES / f"{model}.yaml")
    return {name: value for name, value in values.items() if name in SETTINGS}


def make_network(seed, n_events=40, n_users=5, n_items=6, **options):
    """A network with random weights, and a past of its log, all of which has happened."""
    rng = np.random.default_rng(seed)
    log = EventLog.from_columns(**random_stream_columns(rng, n_events, n_users, n_items))
    past = Past(log)
    past.move_to(n_events)
    torch.manual_seed(seed)
    defaults = {
        "embedding_size": 4,
        "n_negatives": 5,
        "context_start": "random",
        "user_drift_weight": 0.3,
        "item_drift_weight": 0.2,
    }
    made = Making(
        NetworkSettings(**{**defaults, **options}), past, n_events, torch.randn(n_items + 1, 3)
    )
    network = build_network(made)
    for module in network.modules():
        if isinstance(module, torch.nn.Embedding):
            module.sparse = False
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.7)
    return network.double(), past


def doubled(value):
    """What was looked up, in float64; it is made in float32, and compared exactly."""
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: doubled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [doubled(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return replace(value, **{name: doubled(part) for name, part in parts.items()})
    return value

"""Small networks as their settings say, with random weights."""

import numpy as np
import torch
from torch import nn

from recbole_imn.log import EventLog
from recbole_imn.model.build import build_network
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past
from tests.stream.naive import random_stream_columns
from tests.stream.networks import settings_of

START, STOP = 40, 107


def make(model: str, changed: dict):
    """A network with random weights and states from 40 events, and a past of 107."""
    columns = random_stream_columns(np.random.default_rng(3), STOP, 9, 14, 0.4)
    past = Past(EventLog.from_columns(**{**columns, "n_users": 12, "n_items": 17}))
    past.move_to(STOP)
    torch.manual_seed(1)
    features = torch.randn(17, 2)
    settings = settings_of("IMNNet") | settings_of(model)
    settings |= {"embedding_size": 4, "n_negatives": 5, **changed}
    network = build_network(Making(NetworkSettings(**settings), past, STOP, features))
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.3)
    with torch.no_grad():
        network.commit(network.unroll(network.look_at_lessons(past, 0, START, [0])))
    return network, past

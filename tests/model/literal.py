"""The literal network on a small log, and what it says of one window."""

import numpy as np
import torch

from recbole_imn.log import EventLog
from recbole_imn.model.build import build_network
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past
from recbole_imn.session import Session
from tests.stream.naive import random_stream_columns
from tests.stream.networks import doubled, settings_of

COMMON, OWN = settings_of("IMNNet"), settings_of("IMNNetLiteral")
SMALL = {"embedding_size": 3, "n_negatives": 4}
# The window; what lies before it has been committed.
START, STOP = 24, 40


def make(**flipped):
    """The literal network with some settings flipped, and a past of a small log."""
    columns = random_stream_columns(np.random.default_rng(5), STOP, 4, 7, 0.4)
    # A user and an item that come inside the window.
    columns["user"][START + 2 :: 5], columns["item"][START + 3 :: 7] = 5, 8
    log = EventLog.from_columns(**{**columns, "n_users": 6, "n_items": 9})
    past = Past(log)
    past.move_to(STOP)
    torch.manual_seed(7)
    item_features = torch.randn(9, 2, dtype=torch.float32)
    settings = NetworkSettings(**{**COMMON, **OWN, **SMALL, **flipped})
    network = build_network(Making(settings, past, STOP, item_features)).double()
    for module in network.modules():
        if isinstance(module, torch.nn.Embedding):
            module.sparse = False
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.6)
    if "maps.log_temperature" in dict(network.named_parameters()) and settings.temperature == 1:
        network.maps.log_temperature.data.zero_()
    network.look = lambda *given, **named: doubled(type(network).look(network, *given, **named))
    return network, past


def with_weights_of(network, other):
    """Give a network the weights of another where it has the same ones."""
    theirs, own = dict(other.named_parameters()), dict(network.named_parameters())
    with torch.no_grad():
        for name, weight in own.items():
            if name in theirs and theirs[name].shape == weight.shape:
                weight.copy_(theirs[name])
    return network


# -- what the network says ------------------------------------------------------------------


def measured(network, past):
    """States after each event, predictions, ratios, loss, gradients and ranking scores."""
    first = network.look_at_lessons(past, 0, START, [0])
    with torch.no_grad():
        network.commit(network.unroll(doubled(first)))
    window = doubled(network.look_at_lessons(past, START, STOP, [0]))
    unrolled = network.unroll(window)
    found = {}
    written = unrolled.states[window.plan.levels.n_initial :, : SMALL["embedding_size"]]
    found["user states"], found["item states"] = written[0::2], written[1::2]
    n_purchases = len(window.plan.purchases.events) - window.plan.purchases.n_earlier
    found["limited states"] = unrolled.limited[len(unrolled.limited) - n_purchases :]
    rows = network.contexts(unrolled)
    found["predictions"] = rows.mapped.predicted
    represented, *_ = network._represent(unrolled, window.lessons)
    positive = represented[: len(window.facts)]
    found["ratios"] = (rows.mapped.compared * positive).sum(dim=1).exp()
    loss = found["loss"] = network.loss(unrolled)
    loss.backward()
    found.update(gradients(dict(network.named_parameters())))
    session = Session(network, past, STOP)
    found["ranking"] = session.scores_before(window.facts.position, 5)[:, 1:]
    return found, negatives_by_event(window)


def gradients(weights):
    none = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    return {
        f"gradient of {name}": none[name] if weight.grad is None else weight.grad
        for name, weight in weights.items()
    }


def negatives_by_event(window):
    drawn = window.lessons.negatives
    if drawn.ndim == 1:
        drawn = drawn.expand(len(window.facts), -1)
    return dict(zip(window.facts.position.tolist(), drawn.tolist(), strict=True))

"""IMNNetLiteral against the paper's equations, written out for one window of a small log.

Equation numbers are those of arXiv 2009.13249. Everything is computed in float64 with plain
loops from the network's weights alone: nothing of the package's layers is used.
"""

import numpy as np
import pytest
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
# These tell how training begins, or what a validation searches for; see the last tests.
NOT_IN_A_WINDOW = {"context_start", "search_ranking_weights", "ranking_scale"}
FLIPPED = sorted(key for key in OWN if OWN[key] != COMMON[key] and key not in NOT_IN_A_WINDOW)


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


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
    embedded = network.statics.item.rows(window.plan.items)
    represented, *_ = network._represent(unrolled, window.lessons, embedded)
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


# -- the paper ------------------------------------------------------------------------------


class Paper:
    """Equations (1)-(24), one event after the other."""

    def __init__(self, network, log):
        self.log, self.d = log, SMALL["embedding_size"]
        self.item_features = network.states.item_features.double()
        self.weights = {
            name: weight.detach().clone().requires_grad_()
            for name, weight in network.named_parameters()
        }
        # The paper tells no unit of times: one for each kind, fitted on training events.
        states, branch = network.states, network.branch
        self.unit_user = float(states.elapsed_user.deviation)
        self.unit_item = float(states.elapsed_item.deviation)
        self.unit_purchase = float(branch.elapsed.deviation)
        self.users, self.items, self.limited = {}, {}, {}

    # -- the log

    def last(self, event, column, kept=lambda k: True):
        """The latest earlier event with the same entry in a column, or None."""
        ids = getattr(self.log, column)
        found = [k for k in range(event) if ids[k] == ids[event] and kept(k)]
        return found[-1] if found else None

    def delta(self, event, earlier, unit):
        """D: time since an earlier event; 0 without one. Inputs are kept in float32."""
        if earlier is None:
            return 0.0
        return float(np.float32((self.log.time[event] - self.log.time[earlier]) / unit))

    def bought_before(self, event):
        return self.last(event, "user", lambda k: self.log.purchase[k])

    def weighed_v(self, name, event):
        """W v, where v is [one-hot action, features of the event, features of its item]."""
        if event is None:
            return torch.zeros(self.d)
        features = torch.from_numpy(self.log.features[event].astype(float))
        of_item = self.item_features[int(self.log.item[event])]
        one_hot = torch.zeros(self.log.n_behaviours)
        one_hot[int(self.log.behaviour[event])] = 1
        w = torch.cat(
            [self.weights[f"{name}.behaviour.weight"].T, self.weights[f"{name}.features.weight"]], 1
        )
        return w @ torch.cat([one_hot, features, of_item])

    # -- states

    def general(self, user):
        return self.users.get(user, sigma(self.weights["states.users.initial_logit"]))

    def item(self, item):
        return self.items.get(item, sigma(self.weights["states.items.initial_logit"]))

    def resources(self, user):
        return self.limited.get(user, sigma(self.weights["branch.memory.initial_logit"]))

    def happen(self, event):
        """(1), (2) and, at a purchase, (6)."""
        w, d = self.weights, self.d
        user, item = int(self.log.user[event]), int(self.log.item[event])
        before_u, before_i = self.last(event, "user"), self.last(event, "item")
        h_u, h_i = self.general(user), self.item(item)
        t = w["states.transition"]
        w1u, w2u, w2i, w1i = t[:d, :d].T, t[d:, :d].T, t[:d, d:].T, t[d:, d:].T
        w3u, w3i = (w[f"states.{side}_input.elapsed.weight"][:, 0] for side in ("user", "item"))
        delta_u = self.delta(event, before_u, self.unit_user)
        delta_i = self.delta(event, before_i, self.unit_item)
        v_u = self.weighed_v("states.user_input", before_u)
        v_i = self.weighed_v("states.item_input", before_i)
        self.users[user] = sigma(w1u @ h_u + w2u @ h_i + w3u * delta_u + v_u)  # (1)
        self.items[item] = sigma(w1i @ h_i + w2i @ h_u + w3i * delta_i + v_i)  # (2)
        if self.log.purchase[event]:
            self.purchase(event, user, item)

    def purchase(self, event, user, item):
        w, d = self.weights, self.d
        w2, w3, w4, w5 = (w["branch.general.weight"][:, k * d : (k + 1) * d] for k in range(4))
        delta_p = self.delta(event, self.bought_before(event), self.unit_purchase)
        self.limited[user] = sigma(  # (6)
            w["branch.transition"].T @ self.resources(user)
            + w2 @ self.users[user]
            + w3 @ self.items[item]
            + w4 @ w["statics.user.table.weight"][user]
            + w5 @ w["statics.item.table.weight"][item]
            + w["branch.event.elapsed.weight"][:, 0] * delta_p
            + self.weighed_v("branch.event", event)
        )

    # -- rows

    def context(self, event):
        """(7)-(10), and c = [f, static user, previous item, static previous item]."""
        w, user = self.weights, int(self.log.user[event])
        before = self.last(event, "user")
        previous = int(self.log.item[before])
        w_t = w["projection.drift"][:, 0]
        delta = self.delta(event, before, self.unit_user)
        delta_p = self.delta(event, self.bought_before(event), self.unit_user)
        general = (1 + w_t * delta) * self.general(user)
        limited = (1 + w_t * delta_p) * self.resources(user)
        fused = general + limited
        static_user = w["statics.user.table.weight"][user]
        static_item = w["statics.item.table.weight"][previous]
        return torch.cat([fused, static_user, self.item(previous), static_item])

    def predict(self, context):
        """(11): j~ = W1 f + W2 ubar + W3 h_i + W4 ibar."""
        d, w = self.d, self.weights["maps.linear.weight"]
        parts = [w[:d, k * d : (k + 1) * d] @ context[k * d : (k + 1) * d] for k in range(4)]
        return parts[0] + parts[1] + parts[2] + parts[3]

    def log_ratio(self, item, context, state=None):
        """(13): log f_1(x, c) = x' W c, of x = [h_i, ibar]."""
        static = self.weights["statics.item.table.weight"][item]
        x = torch.cat([self.item(item) if state is None else state, static])
        return x @ (self.weights["maps.linear.weight"][self.d :] @ context)

    def score(self, item, context, prediction):
        """(23)-(24), near items first, with the published weights of CZB."""
        static = self.weights["statics.item.table.weight"][item]
        return -0.9 * norm(prediction - static) + 0.1 * self.log_ratio(item, context)

    # -- a window

    def play(self, start, stop, negatives):
        found = {name: [] for name in ("user states", "item states", "limited states")}
        found.update({name: [] for name in ("predictions", "ratios", "ranking")})
        loss = torch.zeros(())
        for event in range(start, stop):
            user, item = int(self.log.user[event]), int(self.log.item[event])
            is_row = self.last(event, "user") is not None
            old_u, old_i = self.general(user), self.item(item)
            if is_row:
                context = self.context(event)
                prediction = self.predict(context)
                others = [self.log_ratio(j, context) for j in negatives[event]]
                scores = [self.score(j, context, prediction) for j in range(1, self.log.n_items)]
                found["predictions"].append(prediction)
                found["ranking"].append(torch.stack(scores))
            self.happen(event)
            if is_row:
                # (16): the positive has seen the event.
                positive = self.log_ratio(item, context, self.items[item])
                ratio, rest = positive.exp(), sum(other.exp() for other in others)
                found["ratios"].append(ratio)
                static = self.weights["statics.item.table.weight"][item]
                loss = loss + norm(prediction - static)  # (20), lambda_m = 1
                loss = loss - (ratio / (ratio + rest)).log()  # (19), (21), lambda_n = 1
            loss = loss + norm(self.users[user] - old_u) + norm(self.items[item] - old_i)  # (22)
            found["user states"].append(self.users[user])
            found["item states"].append(self.items[item])
            if self.log.purchase[event]:
                found["limited states"].append(self.limited[user])
        return {**{name: torch.stack(values) for name, values in found.items()}, "loss": loss}

    def result(self, negatives):
        with torch.no_grad():
            for event in range(START):
                self.happen(event)
        found = self.play(START, STOP, negatives)
        found["loss"].backward()
        return {**found, **gradients(self.weights)}


def sigma(values):
    return 1 / (1 + torch.exp(-values))


def norm(values):
    return (values * values).sum().sqrt()


# -- tests ----------------------------------------------------------------------------------


def differing(found, expected):
    """Names of what is not the same."""
    return {
        name
        for name in found.keys() | expected.keys()
        if name not in found
        or name not in expected
        or found[name].shape != expected[name].shape
        or not torch.allclose(found[name], expected[name], atol=1e-9, rtol=1e-9)
    }


def test_the_literal_form_is_what_the_paper_prints():
    network, past = make()
    found, negatives = measured(network, past)
    assert set(map(len, negatives.values())) == {SMALL["n_negatives"]}
    assert len(set(map(tuple, negatives.values()))) > 1
    expected = Paper(network, past.log).result(negatives)
    assert len(expected["limited states"]) > 2
    assert differing(found, expected) == set()
    for name, value in expected.items():
        assert value.abs().max() > 1e-3, name


# What a flip of a setting must move, at the least.
MOVES = {
    "biases": "user states",
    "conditioning": "predictions",
    "detached_targets": "gradient of statics.item.table.weight",
    "distance": "ranking",
    "elapsed_origin": "user states",
    "elapsed_scale": "user states",
    "event_input": "item states",
    "item_drift_weight": "loss",
    "learned_temperature": "gradient of maps.log_temperature",
    "negatives": "loss",
    "positive_state": "ratios",
    "prediction_target": "predictions",
    "purchase_reach": "gradient of branch.transition",
    "ranking_mse_weight": "ranking",
    "ranking_nce_weight": "ranking",
    "shared_projection": "predictions",
    "static_geometry": "ranking",
    "temperature": "loss",
    "user_drift_weight": "loss",
}


@pytest.mark.parametrize("setting", FLIPPED)
def test_no_setting_can_be_flipped_unseen(setting):
    network, past = make()
    _, negatives = measured(network, past)
    expected = Paper(network, past.log).result(negatives)
    flipped, past = make(**{setting: COMMON[setting]})
    found, _ = measured(with_weights_of(flipped, network), past)
    assert MOVES[setting] in differing(found, expected)


def test_every_setting_that_differs_is_flipped():
    assert set(FLIPPED) == set(MOVES)


def test_the_published_weights_rank_and_nothing_is_searched_for():
    settings = NetworkSettings(**{**COMMON, **OWN})
    assert (settings.ranking_mse_weight, settings.ranking_nce_weight) == (0.9, 0.1)
    assert not settings.searches_ranking
    assert NetworkSettings(**COMMON).searches_ranking
    assert settings.user_drift_weight > 0 < settings.item_drift_weight

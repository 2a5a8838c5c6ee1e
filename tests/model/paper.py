"""The paper's equations, written out for one window of a small log.

Equation numbers are those of arXiv 2009.13249. Everything is computed in float64 with plain
loops from a network's weights alone: nothing of the package's layers is used.
"""

import numpy as np
import torch

from tests.model.literal import SMALL, START, STOP, gradients


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

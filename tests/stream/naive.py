"""The recursion one event at a time, written for clarity: the oracle of the parity tests."""

import numpy as np
import torch


def random_stream_columns(rng, n_events, n_users, n_items, purchase_share=0.3, ties=True):
    """Columns of a random log with repeats, bursts, a hot item and simultaneous times."""
    user = rng.integers(1, n_users + 1, n_events)
    item = rng.integers(1, n_items + 1, n_events)
    item[rng.random(n_events) < 0.2] = 1
    burst = rng.random(n_events) < 0.3
    for event in range(1, n_events):
        if burst[event]:
            user[event] = user[event - 1]
    gaps = rng.integers(0 if ties else 1, 100, n_events)
    return {
        "user": user,
        "item": item,
        "time": np.cumsum(gaps).astype(float),
        "behaviour": rng.integers(1, 4, n_events),
        "purchase": rng.random(n_events) < purchase_share,
        "features": rng.normal(size=(n_events, 2)),
        "n_users": n_users + 1,
        "n_items": n_items + 1,
        "n_behaviours": 4,
    }


class NaiveNetwork:
    """Plays a stream through a network's weights without plans, buffers or batches."""

    def __init__(self, network):
        self.network = network
        self.stream = network.stream
        self.user = {}
        self.item = {}
        self.limited = {}

    def state(self, table, memory, key):
        return table.get(key, memory.initial)

    def elapsed(self, module, seconds, first, event):
        return module(seconds[[event]], first[[event]])

    def event_input(self, module, elapsed, event):
        behaviour = torch.tensor([self.stream.behaviour[event]])
        own = torch.from_numpy(self.stream.features[[event]])
        of_item = self.network.item_features[[self.stream.item[event]]]
        return module(elapsed, behaviour, torch.cat([own, of_item], dim=1))[0]

    def context(self, event):
        """The context of an event, from what lies before it."""
        network, stream = self.network, self.stream
        user, previous = stream.user[event], stream.previous_item[event]
        since_event = self.elapsed(
            network.elapsed_user, stream.delta_user, stream.first_user, event
        )
        interest = network.user_projection(
            self.state(self.user, network.users, user)[None], since_event
        )
        if network.has_branch:
            since_purchase = self.elapsed(
                network.elapsed_purchase, stream.delta_purchase, stream.first_purchase, event
            )
            limited = self.state(self.limited, network.limited, user)
            interest = interest + network.limited_projection(limited[None], since_purchase)
        parts = [
            network.user_condition(interest),
            network.static_user(torch.tensor([user])),
            network.item_condition(self.state(self.item, network.items, previous)[None]),
            network.static_item(torch.tensor([previous])),
        ]
        return torch.cat(parts, dim=1)[0]

    def represent(self, item):
        """The representation of an item now."""
        state = self.state(self.item, self.network.items, item)
        return self.network.represent(state[None], torch.tensor([item]))[0]

    def update(self, event):
        """Equations (1), (2) and, at a purchase, (6)."""
        network, stream = self.network, self.stream
        user, item = stream.user[event], stream.item[event]
        width = network.settings.embedding_size
        old_user = self.state(self.user, network.users, user)
        old_item = self.state(self.item, network.items, item)
        user_time = self.elapsed(network.elapsed_user, stream.delta_user, stream.first_user, event)
        item_time = self.elapsed(network.elapsed_item, stream.delta_item, stream.first_item, event)
        moved = torch.cat([old_user, old_item]) @ network.transition
        self.user[user] = torch.sigmoid(
            moved[:width] + self.event_input(network.user_input, user_time, event)
        )
        self.item[item] = torch.sigmoid(
            moved[width:] + self.event_input(network.item_input, item_time, event)
        )
        if network.has_branch and stream.purchase[event]:
            self.update_limited(event)

    def update_limited(self, event):
        network, stream = self.network, self.stream
        user, item = stream.user[event], stream.item[event]
        context = torch.cat(
            [
                self.user[user],
                self.item[item],
                network.static_user(torch.tensor(user)),
                network.static_item(torch.tensor(item)),
            ]
        )
        elapsed = self.elapsed(
            network.elapsed_purchase, stream.delta_purchase, stream.first_purchase, event
        )
        self.limited[user] = torch.sigmoid(
            self.state(self.limited, network.limited, user) @ network.limited_transition
            + network.limited_context(context)
            + self.event_input(network.limited_input, elapsed, event)
        )

    def loss(self, start, stop, negatives):
        """Equation (22) over a window that begins with the present states."""
        settings, total = self.network.settings, torch.zeros(())
        for event in range(start, stop):
            if self.stream.history_length[event] > 0:
                total = total + self.event_loss(event, negatives)
            before = self.drift_states(event)
            self.update(event)
            after = self.drift_states(event)
            total = total + settings.user_drift_weight * (after[0] - before[0]).square().sum()
            total = total + settings.item_drift_weight * (after[1] - before[1]).square().sum()
        return total

    def drift_states(self, event):
        network, stream = self.network, self.stream
        return (
            self.state(self.user, network.users, stream.user[event]),
            self.state(self.item, network.items, stream.item[event]),
        )

    def event_loss(self, event, negatives):
        network, settings = self.network, self.network.settings
        context, item = self.context(event), self.stream.item[event]
        positive = self.represent(item)
        predicted = network.prediction(context)
        mse = (predicted - positive.detach()).square().sum()
        query = network.density(context) * network.inverse_temperature
        others = [self.represent(j) for j in negatives if j != item]
        logits = torch.stack([query @ other for other in [positive, *others]])
        nce = torch.logsumexp(logits, 0) - logits[0]
        return settings.mse_weight * mse + settings.nce_weight * nce

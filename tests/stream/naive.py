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
        width = network.settings.embedding_size
        interest = network.user_projection(
            self.state(self.user, network.users, user)[None, :width], since_event
        )
        fused = [network.user_condition(interest)]
        if network.has_branch:
            since_purchase = self.elapsed(
                network.elapsed_purchase, stream.delta_purchase, stream.first_purchase, event
            )
            limited = self.state(self.limited, network.limited, user)
            resources = network.limited_projection(limited[None, :width], since_purchase)
            fused = self.fuse(interest, resources)
        last_item = self.state(self.item, network.items, previous)
        parts = [
            *fused,
            network.static_user(torch.tensor([user])),
            network.item_condition(last_item[None, :width]),
            network.static_item(torch.tensor([previous])),
        ]
        return torch.cat(parts, dim=1)[0]

    def fuse(self, interest, resources):
        network = self.network
        if network.settings.fusion == "sum":
            return [network.user_condition(interest + resources)]
        if network.settings.fusion == "gate":
            both = torch.cat([interest, resources], dim=1)
            linear = network.fusion_gate.linear
            gate = torch.sigmoid(both @ linear.weight.t() + linear.bias)
            return [network.user_condition(gate * interest + (1 - gate) * resources)]
        if network.settings.fusion == "product":
            return [network.user_condition(interest * resources)]
        return [network.user_condition(interest), network.limited_condition(resources)]

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
        moved = torch.cat([old_user[:width], old_item[:width]]) @ network.transition
        half = len(moved) // 2
        before = old_user
        self.user[user] = self.cell(
            moved[:half] + self.event_input(network.user_input, user_time, event), old_user
        )
        self.item[item] = self.cell(
            moved[half:] + self.event_input(network.item_input, item_time, event), old_item
        )
        if network.has_branch and stream.purchase[event]:
            self.update_limited(event, before)

    def cell(self, pre, old):
        """One cell at a time, by its textbook equations."""
        d = self.network.settings.embedding_size
        name = self.network.settings.cell
        if name == "sigmoid":
            return torch.sigmoid(pre)
        if name == "tanh":
            return torch.tanh(pre)
        one, two, three, four = pre.split(d)
        if name == "gru":
            reset, update = torch.sigmoid(one), torch.sigmoid(two)
            return (1 - update) * torch.tanh(three + reset * four) + update * old
        enter, keep, leave = torch.sigmoid(one), torch.sigmoid(two), torch.sigmoid(three)
        cell = keep * old[d:] + enter * torch.tanh(four)
        return torch.cat([leave * torch.tanh(cell), cell])

    def update_limited(self, event, user_before):
        network, stream = self.network, self.stream
        width = network.settings.embedding_size
        user = stream.user[event]
        elapsed = self.elapsed(
            network.elapsed_purchase, stream.delta_purchase, stream.first_purchase, event
        )
        behaviour = torch.tensor([stream.behaviour[event]])
        own = torch.from_numpy(stream.features[[event]])
        of_item = network.item_features[[stream.item[event]]]
        features = torch.cat([own, of_item], dim=1)
        if network.settings.resource_branch == "simplified":
            context, full = self.simplified_context(event), None
        else:
            context, full = user_before[None, :width], self.resources(event)
        inputs = network.branch(context, elapsed, behaviour, features, full)[0]
        old = self.state(self.limited, network.limited, user)
        self.limited[user] = self.cell(inputs + old[:width] @ network.limited_transition, old)

    def simplified_context(self, event):
        network, stream = self.network, self.stream
        width = network.settings.embedding_size
        user, item = stream.user[event], stream.item[event]
        parts = [
            self.user[user][:width],
            self.item[item][:width],
            network.static_user(torch.tensor(user)),
            network.static_item(torch.tensor(item)),
        ]
        return torch.cat(parts)[None]

    def resources(self, event):
        """Shelf, purchases and session of the full branch, by plain loops."""
        network, stream = self.network, self.stream
        own = [k for k in range(event) if stream.user[k] == stream.user[event]]
        bought = [stream.item[k] for k in own if stream.purchase[k]][-10:]
        history = torch.zeros(network.settings.embedding_size)
        for item in bought:
            history = history + network.static_item(torch.tensor(item)) / len(bought)
        session, later = [], stream.time[event]
        for k in own[::-1][:20]:
            if later - stream.time[k] > 1800:
                break
            session.append(stream.behaviour[k])
            later = stream.time[k]
        counts = torch.bincount(torch.tensor(session, dtype=torch.long), minlength=4)
        shares = counts / max(len(session), 1)
        size = torch.log1p(torch.tensor([float(len(session))]))
        inventory = torch.from_numpy(network.inventory[event])
        return torch.cat([inventory, history, size, shares])[None]

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
        width = network.settings.embedding_size
        return (
            self.state(self.user, network.users, stream.user[event])[:width],
            self.state(self.item, network.items, stream.item[event])[:width],
        )

    def event_loss(self, event, negatives):
        network, settings = self.network, self.network.settings
        context, item = self.context(event), self.stream.item[event]
        positive = self.represent(item)
        predicted = network.prediction(context[None])[0]
        mse = (predicted - positive.detach()).square().sum()
        query = network.density(context[None])[0] * network.inverse_temperature
        others = [self.represent(j) for j in negatives if j != item]
        logits = torch.stack([query @ other for other in [positive, *others]])
        nce = torch.logsumexp(logits, 0) - logits[0]
        return settings.mse_weight * mse + settings.nce_weight * nce

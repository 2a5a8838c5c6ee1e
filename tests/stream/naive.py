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
        "inventory": rng.normal(size=(n_events, 2)),
        "n_users": n_users + 1,
        "n_items": n_items + 1,
        "n_behaviours": 4,
    }


class NaiveNetwork:
    """Plays a log through a network's weights without plans, buffers or batches."""

    def __init__(self, network, log):
        self.network, self.log = network, log
        self.settings = network.settings
        self.width = network.settings.embedding_size
        self.user, self.item, self.limited = {}, {}, {}
        # Of each user: purchases, what the general states gave them, and the state before.
        self.kept = {}

    # -- the log, by plain search ----------------------------------------------------------

    def own(self, event):
        """Earlier events of an event's user."""
        return [k for k in range(event) if self.log.user[k] == self.log.user[event]]

    def previous_item(self, event):
        own = self.own(event)
        return int(self.log.item[own[-1]]) if own else 0

    def since(self, module, event, earlier):
        """Inputs that tell the time since the last of some earlier events."""
        first = np.array([not earlier])
        elapsed = 0.0 if not earlier else self.log.time[event] - self.log.time[earlier[-1]]
        return module(np.array([elapsed]), first).to(self.network.projection.drift.dtype)

    def since_user(self, event):
        return self.since(self.network.states.elapsed_user, event, self.own(event))

    def since_item(self, event):
        same = [k for k in range(event) if self.log.item[k] == self.log.item[event]]
        return self.since(self.network.states.elapsed_item, event, same)

    def since_purchase(self, event, module=None):
        bought = [k for k in self.own(event) if self.log.purchase[k]]
        return self.since(module or self.network.branch.elapsed, event, bought)

    # -- states ----------------------------------------------------------------------------

    def state(self, table, memory, key):
        # A copy: the initial state may be a weight itself, which changes in place.
        return table[int(key)] if int(key) in table else memory.initial.clone()

    def user_state(self, user):
        return self.state(self.user, self.network.states.users, user)

    def item_state(self, item):
        return self.state(self.item, self.network.states.items, item)

    def limited_state(self, user):
        return self.state(self.limited, self.network.branch.memory, user)

    def told(self, event):
        """Behaviour and features of an event."""
        behaviour = torch.tensor([int(self.log.behaviour[event])])
        of_item = self.network.states.item_features[[int(self.log.item[event])]]
        own = torch.from_numpy(self.log.features[[event]]).to(of_item)
        return behaviour, torch.cat([own, of_item], dim=1)

    def update(self, event):
        """Equations (1), (2) and, at a purchase, (3)-(6)."""
        states, log = self.network.states, self.log
        user, item = int(log.user[event]), int(log.item[event])
        old_user, old_item = self.user_state(user), self.item_state(item)
        hidden = torch.cat([old_user[: self.width], old_item[: self.width]])
        of_user, of_item = (hidden @ states.transition).chunk(2)
        new_user = of_user + self.taken_in(states.user_input, self.since_user(event), event, "user")
        new_item = of_item + self.taken_in(states.item_input, self.since_item(event), event, "item")
        self.user[user], self.item[item] = (
            self.cell(new_user, old_user),
            self.cell(new_item, old_item),
        )
        if self.network.branch is not None and log.purchase[event]:
            general = self.general(event, old_user)
            self.kept.setdefault(user, []).append((event, general, self.limited_state(user)))
            self.purchase(event, general)

    def taken_in(self, module, since, event, side):
        """W3 D + W4 v, where v is of this event or of the entity's previous one."""
        if self.settings.event_input == "own":
            return module(since, *self.told(event))[0]
        ids = getattr(self.log, side)
        earlier = [k for k in range(event) if ids[k] == ids[event]]
        out = module.elapsed(since)[0]
        if not earlier:
            return out
        behaviour, features = self.told(earlier[-1])
        return out + module.behaviour(behaviour)[0] + module.features(features)[0]

    def general(self, event, old_user):
        """What the limited state takes from the general ones."""
        if self.settings.resource_branch == "full":
            return old_user[: self.width]
        new_user, new_item = (
            self.user_state(self.log.user[event]),
            self.item_state(self.log.item[event]),
        )
        return torch.cat([new_user[: self.width], new_item[: self.width]])

    def purchase(self, event, general):
        """Equations (3)-(6): the limited state after a purchase."""
        user = int(self.log.user[event])
        full = self.settings.resource_branch == "full"
        inputs = self.full_inputs(event, general) if full else self.inputs(event, general)
        old = self.limited_state(user)
        moved = old[: self.width] @ self.network.branch.transition
        self.limited[user] = self.cell(inputs + moved, old)

    def inputs(self, event, general):
        branch, statics = self.network.branch, self.network.statics
        user, item = (torch.tensor([int(ids[event])]) for ids in (self.log.user, self.log.item))
        event_input = branch.event(self.since_purchase(event), *self.told(event))[0]
        joined = torch.cat([general, statics.user(user)[0], statics.item(item)[0]])
        return joined @ branch.general.weight.t() + event_input

    def full_inputs(self, event, general):
        """Shelf, purchases and session of the full branch, by plain loops."""
        branch, log = self.network.branch, self.log
        own = self.own(event)
        bought = [int(log.item[k]) for k in own if log.purchase[k]][-10:]
        history = torch.zeros(self.width).to(general)
        for item in bought:
            history = history + self.network.statics.item(torch.tensor([item]))[0] / len(bought)
        session, later = [], log.time[event]
        for k in own[::-1][:20]:
            if later - log.time[k] > 1800:
                break
            session.append(int(log.behaviour[k]))
            later = log.time[k]
        counts = torch.bincount(torch.tensor(session, dtype=torch.long), minlength=log.n_behaviours)
        told = torch.cat(
            [torch.tensor([float(np.log1p(len(session)))]), counts / max(len(session), 1)]
        )
        since = self.since_purchase(event)[0]
        finance = branch.finance(torch.cat([history, told.to(general), since])[None])[0]
        shelf = branch.inventory(torch.from_numpy(log.inventory[[event]]).to(general))[0]
        return branch.mix(torch.cat([shelf, finance, general])[None])[0]

    def cell(self, pre, old):
        """One cell at a time, by its textbook equations."""
        d = self.width
        if self.settings.cell == "sigmoid":
            return torch.sigmoid(pre)
        if self.settings.cell == "tanh":
            return torch.tanh(pre)
        if self.settings.cell == "self_attention":
            query, value = pre.split(d)
            kept = [torch.tanh(value), *old[d:-d].split(d)]
            scores = [query @ kept[k] / d**0.5 - k / 4 for k in range(8)]
            shares = torch.softmax(torch.stack(scores), 0)
            return torch.cat([sum(shares[k] * kept[k] for k in range(8)), *kept])
        one, two, three, four = pre.split(d)
        if self.settings.cell == "gru":
            reset, update = torch.sigmoid(one), torch.sigmoid(two)
            return (1 - update) * torch.tanh(three + reset * four) + update * old
        enter, keep, leave = torch.sigmoid(one), torch.sigmoid(two), torch.sigmoid(three)
        cell = keep * old[d:] + enter * torch.tanh(four)
        return torch.cat([leave * torch.tanh(cell), cell])

    # -- windows of training -----------------------------------------------------------------

    def begin(self, start, stop):
        """Gradients end at the window's start, but for the latest purchases of its users."""
        for table in (self.user, self.item, self.limited):
            for key in table:
                table[key] = table[key].detach()
        for user, kept in self.kept.items():
            self.kept[user] = [(event, *(part.detach() for part in rest)) for event, *rest in kept]
        reach = self.settings.purchase_reach
        if self.network.branch is not None and reach:
            for user in np.unique(self.log.user[start:stop]).tolist():
                self.unroll_again(user, reach)

    def unroll_again(self, user, reach):
        """Compute a limited state anew, from before the user's latest purchases."""
        purchases = self.kept.get(user, [])
        if not purchases:
            return
        latest = purchases[-reach:]
        if len(latest) == len(purchases):
            self.limited.pop(user)
        else:
            self.limited[user] = latest[0][2]
        for event, general, _ in latest:
            self.purchase(event, general)

    # -- contexts and losses -----------------------------------------------------------------

    def context(self, event):
        """The context of an event, from what lies before it."""
        network, user, previous = self.network, int(self.log.user[event]), self.previous_item(event)
        interest = self.project(network.projection, self.user_state(user), self.since_user(event))
        resources = None
        if network.branch is not None:
            projection, unit = network.branch.projection, None
            if self.settings.shared_projection:
                projection, unit = network.projection, network.states.elapsed_user
            since = self.since_purchase(event, unit)
            resources = self.project(projection, self.limited_state(user), since)
        parts = [
            *self.fuse(interest, resources),
            network.statics.user(torch.tensor([user]))[0],
            network.item_condition(self.item_state(previous)[None, : self.width])[0],
            network.statics.item(torch.tensor([previous]))[0],
        ]
        return torch.cat(parts)

    def project(self, projection, state, since):
        """Equations (7)-(10)."""
        return (1 + projection.drift @ since[0]) * state[: self.width]

    def fuse(self, interest, resources):
        fusion, kind = self.network.fusion, self.settings.fusion
        if resources is None:
            return [fusion.condition(interest[None])[0]]
        if kind == "concat":
            return [
                fusion.condition(interest[None])[0],
                fusion.condition_resources(resources[None])[0],
            ]
        if kind == "gate":
            linear = fusion.gate.linear
            gate = torch.sigmoid(torch.cat([interest, resources]) @ linear.weight.t() + linear.bias)
            fused = gate * interest + (1 - gate) * resources
        else:
            fused = interest + resources if kind == "sum" else interest * resources
        return [fusion.condition(fused[None])[0]]

    def represent(self, item):
        """The representation of an item now."""
        state, row = self.item_state(item)[None], torch.tensor([0])
        return self.network.represent(
            self.network.statics.item.rows(torch.tensor([item])), row, state, row
        )[0]

    def loss(self, start, stop, negatives):
        """Equation (22) over a window that begins with the present states.

        Negatives are a list for all events, or a list for each.
        """
        self.begin(start, stop)
        total, settings = torch.zeros(()), self.settings
        for event in range(start, stop):
            context = self.context(event) if self.own(event) or settings.first_events else None
            before = self.hidden(event)
            positive = self.represent(int(self.log.item[event]))
            of_event = negatives.get(event, []) if isinstance(negatives, dict) else negatives
            others = [self.represent(j) for j in of_event if j != self.log.item[event]]
            self.update(event)
            after = self.hidden(event)
            predicted = positive
            if settings.positive_state == "after":
                positive = self.represent(int(self.log.item[event]))
            if context is not None:
                total = total + self.event_loss(context, predicted, positive, others)
            total = total + settings.user_drift_weight * self.length(after[0] - before[0])
            total = total + settings.item_drift_weight * self.length(after[1] - before[1])
        return total

    def hidden(self, event):
        user, item = self.log.user[event], self.log.item[event]
        return self.user_state(user)[: self.width], self.item_state(item)[: self.width]

    def event_loss(self, context, target, positive, others):
        network, settings = self.network, self.settings
        maps = network.maps
        mapped = maps.linear.weight @ context
        if settings.biases:
            mapped = mapped + maps.linear.bias
        width = (1 if settings.prediction_target == "static" else 2) * self.width
        target = target[-width:]
        if settings.detached_targets:
            target = target.detach()
        predicted, compared = mapped.new_zeros(width), mapped.new_zeros(2 * self.width)
        if settings.mse_weight:
            predicted = mapped[:width]
        if settings.nce_weight:
            compared = mapped[-2 * self.width :]
        mse = self.length(predicted - target)
        query = compared / maps.log_temperature.exp()
        logits = torch.stack([query @ other for other in [positive, *others]])
        nce = torch.logsumexp(logits, 0) - logits[0]
        return settings.mse_weight * mse + settings.nce_weight * nce

    def length(self, difference):
        """A distance, or its square."""
        square = difference.square().sum()
        if self.settings.distance == "squared":
            return square
        return square.sqrt() if square > 0 else 0 * square

"""Small recursions: their plans, their numbers, and one event at a time."""

import numpy as np
import torch

from recbole_imn.stream.levels import plan_levels
from recbole_imn.stream.recurrence import recur


def random_plan(rng, n_events, n_slots, n_initial):
    """Let each event read any rows written before it, two slots perhaps the same one."""
    rows = [rng.integers(0, n_initial + k * n_slots, n_slots) for k in range(n_events)]
    return plan_levels(np.array(rows, np.int64).reshape(n_events, n_slots), n_initial)


def random_numbers(rng, plan, cell, width, dtype=torch.float64):
    """Give initial states, inputs and a weight of a sensible size."""
    shapes = [
        (plan.n_initial, cell.n_parts * width),
        (plan.n_events, plan.n_slots * cell.n_gates * width),
        (plan.n_slots * width, plan.n_slots * cell.n_gates * width),
    ]
    scales = (1, 1, width**-0.5)
    return [
        torch.tensor(scale * rng.normal(size=shape), dtype=dtype)
        for scale, shape in zip(scales, shapes, strict=True)
    ]


def naive_recurrence(initial, inputs, weight, plan, name):
    """One event after the other, formulas written out, gradients by torch."""
    rows = list(initial)
    width, n_slots = weight.shape[0] // plan.n_slots, plan.n_slots
    for source, base in zip(plan.sources.tolist(), inputs, strict=True):
        read = [rows[row] for row in source]
        pre = base + torch.cat([state[:width] for state in read]) @ weight
        for old, own in zip(read, pre.chunk(n_slots), strict=True):
            rows.append(naive_cell(name, own, old))
    return torch.stack(rows)


def naive_cell(name, pre, old):
    if name == "sigmoid":
        return torch.sigmoid(pre)
    if name == "tanh":
        return torch.tanh(pre)
    if name == "gru":
        r, z, a, b = pre.chunk(4)
        r, z = torch.sigmoid(r), torch.sigmoid(z)
        return (1 - z) * torch.tanh(a + r * b) + z * old
    if name == "self_attention":
        q, v = pre.chunk(2)
        kept = torch.cat([torch.tanh(v), old[len(q) : -len(q)]]).view(-1, len(q))
        shares = torch.softmax(kept @ q / len(q) ** 0.5 - torch.arange(len(kept)) / 4, 0)
        return torch.cat([shares @ kept, kept.view(-1)])
    i, f, o, g = pre.chunk(4)
    new = torch.sigmoid(f) * old[len(g) :] + torch.sigmoid(i) * torch.tanh(g)
    return torch.cat([torch.sigmoid(o) * torch.tanh(new), new])


def replay(users, items, size, table, inputs, weight, cell):
    """Run a log in windows, each from a table of states that the last one left."""
    table = table.clone()
    for start in range(0, len(users), size):
        part = slice(start, start + size)
        newest = np.arange(len(table))
        sources = []
        for k, pair in enumerate(zip(users[part], items[part], strict=True)):
            sources.append(newest[list(pair)])
            newest[list(pair)] = len(table) + 2 * k + np.arange(2)
        plan = plan_levels(np.array(sources), len(table))
        table = recur(table, inputs[part], weight, plan, cell)[newest]
    return table

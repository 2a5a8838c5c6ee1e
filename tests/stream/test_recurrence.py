"""Parity of the t-batched recursion with one event at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.model.network import InterestBehaviourNetwork
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.stream import CELLS, EventStream, plan_window, recur
from recbole_imn.stream.levels import event_levels, plan_levels
from recbole_imn.stream.tbatch import windows
from tests.stream.naive import NaiveNetwork, random_stream_columns


@pytest.fixture(autouse=True)
def double_precision():
    """Compare in float64, where a wrong row cannot hide behind rounding."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def make_network(seed, n_events=40, n_users=5, n_items=6, **options):
    rng = np.random.default_rng(seed)
    stream = EventStream.from_columns(**random_stream_columns(rng, n_events, n_users, n_items))
    torch.manual_seed(seed)
    defaults = {
        "embedding_size": 4,
        "n_negatives": 5,
        "context_start": "random",
        "user_drift_weight": 0.3,
        "item_drift_weight": 0.2,
    }
    features = torch.randn(n_items + 1, 3)
    network = InterestBehaviourNetwork(
        stream,
        n_events,
        NetworkSettings(**{**defaults, **options}),
        features,
        inventory=rng.normal(size=(n_events, 2)),
    )
    for module in network.modules():
        if isinstance(module, torch.nn.Embedding):
            module.sparse = False
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.7)
    network.double()
    # Features are float32 in a stream, which is exact enough to be compared exactly.
    object.__setattr__(stream, "features", stream.features.astype(np.float64))
    for elapsed in ("elapsed_user", "elapsed_item", "elapsed_purchase"):
        if hasattr(network, elapsed):
            module = getattr(network, elapsed)
            original = module.forward
            module.forward = lambda *args, original=original: original(*args).double()
    return network


def drawn_negatives(network, seed):
    torch.manual_seed(seed)
    return torch.randint(1, network.stream.n_items, (network.settings.n_negatives,)).tolist()


OPTIONS = [
    {},
    {"resource_branch": "none", "cell": "tanh"},
    {"cell": "gru", "fusion": "concat"},
    {"cell": "lstm", "fusion": "product"},
    {"fusion": "gate"},
    {"resource_branch": "full", "cell": "tanh"},
    {"resource_branch": "full", "cell": "lstm", "fusion": "concat"},
    {"static_geometry": "free", "conditioning": "none"},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("size", [1, 7, 40])
def test_losses_gradients_and_states_equal_the_naive_loop(options, size):
    network = make_network(3, **options)
    naive = NaiveNetwork(network)
    for start, stop in windows(0, 40, size):
        network.zero_grad()
        unrolled = network.unroll(plan_window(network.stream, start, stop))
        torch.manual_seed(start)
        loss = network.loss(unrolled)
        loss.backward()
        batched = {name: weight.grad for name, weight in network.named_parameters()}
        network.commit(unrolled)

        network.zero_grad()
        expected = naive.loss(start, stop, drawn_negatives(network, start))
        if expected.requires_grad:
            expected.backward()
        torch.testing.assert_close(loss, expected, atol=1e-10, rtol=0)
        for name, weight in network.named_parameters():
            grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
            other = torch.zeros_like(weight) if batched[name] is None else batched[name]
            torch.testing.assert_close(other, grad, atol=1e-10, rtol=0, msg=lambda m, n=name: n + m)
        detach(naive)
        compare_states(network, naive)


def detach(naive):
    """Gradients end at the window's start."""
    for table in (naive.user, naive.item, naive.limited):
        for key in table:
            table[key] = table[key].detach()


def compare_states(network, naive):
    pairs = [(network.users, naive.user), (network.items, naive.item)]
    if network.has_branch:
        pairs.append((network.limited, naive.limited))
    for memory, table in pairs:
        assert set(torch.nonzero(memory.known).flatten().tolist()) == set(table)
        for key, state in table.items():
            torch.testing.assert_close(memory.states[key], state, atol=1e-10, rtol=0)


def test_contexts_and_item_states_equal_the_naive_loop():
    network = make_network(5)
    naive = NaiveNetwork(network)
    with torch.no_grad():
        for start, stop in windows(0, 40, 13):
            unrolled = network.unroll(plan_window(network.stream, start, stop))
            contexts = network.contexts(unrolled)
            in_time = np.argsort(unrolled.plan.events)
            for event in range(start, stop):
                expected = naive.context(event)
                found = contexts[in_time[event - start]]
                torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
                naive.update(event)
            network.commit(unrolled)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(1, 60),
    users=st.integers(1, 8),
    cell=st.sampled_from(sorted(CELLS)),
)
def test_window_size_does_not_change_states(seed, size, users, cell):
    network = make_network(seed, n_events=50, n_users=users, n_items=4, cell=cell)
    final = []
    for window_size in (50, size):
        network.reset()
        with torch.no_grad():
            for window in windows(0, 50, window_size):
                network.commit(network.unroll(plan_window(network.stream, *window)))
        final.append(
            (network.users.read_all(), network.items.read_all(), network.limited.read_all())
        )
    for whole, cut in zip(*final, strict=True):
        torch.testing.assert_close(whole, cut, atol=1e-12, rtol=0)


@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("n_slots", [1, 2])
def test_gradcheck(n_slots, cell):
    rng = np.random.default_rng(0)
    parents = np.array([[0, 2], [4, 3], [1, 5]])[:, :n_slots]
    plan = plan_levels(parents, n_initial=4)
    width = 3
    made_of = CELLS[cell]
    shapes = [
        (4, made_of.n_parts * width),
        (3, n_slots * made_of.n_gates * width),
        (n_slots * width, n_slots * made_of.n_gates * width),
    ]
    tensors = [torch.tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda *a: recur(*a, plan, made_of), tensors)


def test_levels_of_a_literal_stream():
    # Users a b a c, items x x y z: the second event waits for x, the third for a.
    user_before = np.array([-1, -1, 0, -1])
    item_before = np.array([-1, 0, -1, -1])
    assert event_levels(user_before, item_before).tolist() == [0, 1, 1, 0]


def test_windows_outside_the_stream_are_refused():
    network = make_network(1)
    with pytest.raises(ValueError, match=r"window 30\.\.41 is not inside a stream of 40 events"):
        plan_window(network.stream, 30, 41)

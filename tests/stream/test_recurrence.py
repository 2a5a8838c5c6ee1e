"""Parity of the t-batched recursion with one event at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.log import EventLog
from recbole_imn.model.build import build_network
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past
from recbole_imn.stream import CELLS, plan_window, recur
from recbole_imn.stream.levels import plan_levels
from recbole_imn.stream.plan import windows
from tests.stream.naive import NaiveNetwork, random_stream_columns
from tests.stream.networks import doubled, make_network, settings_of

pytestmark = pytest.mark.usefixtures("double_precision")


def looked(network, past, start, stop):
    return doubled(network.look_at_lessons(past, start, stop, [0]))


LITERAL = settings_of("IMNNetLiteral")
OPTIONS = [
    {},
    {"resource_branch": "none", "cell": "tanh", "first_events": True},
    {"cell": "gru", "fusion": "concat"},
    {"cell": "lstm", "fusion": "product", "purchase_reach": 1},
    {"fusion": "gate", "purchase_reach": 2},
    {"purchase_reach": 0},
    {"resource_branch": "full", "cell": "tanh"},
    {"resource_branch": "full", "cell": "lstm", "fusion": "concat", "purchase_reach": 100},
    {"resource_branch": "full", "cell": "gru", "purchase_reach": 0},
    {"static_geometry": "free", "conditioning": "none", "positive_state": "after"},
    {"mse_weight": 0.0},
    {"nce_weight": 0.0},
    {"cell": "self_attention"},
    {"cell": "self_attention", "resource_branch": "full", "purchase_reach": 1},
    {"distance": "euclidean"},
    {"prediction_target": "static", "detached_targets": False},
    {"negatives": "row", "first_events": True},
    {"negatives": "in_batch", "n_negatives": 50},
    {"event_input": "previous", "biases": False},
    {"elapsed_origin": "zero", "elapsed_scale": "linear", "shared_projection": True},
    LITERAL,
    {**LITERAL, "nce_weight": 0.0},
    {**LITERAL, "mse_weight": 0.0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("size", [1, 7, 40])
def test_losses_gradients_and_states_equal_the_naive_loop(options, size):
    network, past = make_network(3, **options)
    naive = NaiveNetwork(network, past.log)
    for start, stop in windows(0, 40, size):
        compare_window(network, naive, looked(network, past, start, stop))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 9999),
    size=st.integers(1, 30),
    reach=st.integers(0, 5),
    branch=st.sampled_from(["simplified", "full"]),
    cell=st.sampled_from(sorted(CELLS)),
)
def test_purchases_are_reached_as_in_the_naive_loop(seed, size, reach, branch, cell):
    options = {"purchase_reach": reach, "resource_branch": branch, "cell": cell}
    network, past = make_network(seed, n_users=3, **options)
    naive = NaiveNetwork(network, past.log)
    for start, stop in windows(0, 40, size):
        compare_window(network, naive, looked(network, past, start, stop))
        with torch.no_grad():
            # States in memory are those of other weights.
            for weight in network.parameters():
                weight.mul_(0.97)


def compare_window(network, naive, window):
    """Compare losses, gradients and the states at the window's end."""
    network.zero_grad()
    unrolled = network.unroll(window)
    loss = network.loss(unrolled)
    if loss.requires_grad:
        loss.backward()
    batched = {name: weight.grad for name, weight in network.named_parameters()}
    network.commit(unrolled)

    network.zero_grad()
    plan = window.plan
    expected = naive.loss(plan.start, plan.stop, negatives_of(window))
    if expected.requires_grad:
        expected.backward()
    torch.testing.assert_close(loss, expected, atol=1e-10, rtol=1e-10)
    for name, weight in network.named_parameters():
        grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
        other = torch.zeros_like(weight) if batched[name] is None else batched[name]
        torch.testing.assert_close(other, grad, atol=1e-10, rtol=1e-10, msg=lambda m, n=name: n + m)
    compare_states(network, naive)


def negatives_of(window):
    """Negatives of all rows, or of each row's event."""
    drawn = window.lessons.negatives.tolist()
    if window.lessons.negatives.ndim == 1:
        return drawn
    return dict(zip(window.facts.position.tolist(), drawn, strict=True))


def compare_states(network, naive):
    pairs = [(network.states.users, naive.user), (network.states.items, naive.item)]
    if network.branch is not None:
        pairs.append((network.branch.memory, naive.limited))
    for memory, table in pairs:
        assert set(torch.nonzero(memory.known).flatten().tolist()) == set(table)
        for key, state in table.items():
            torch.testing.assert_close(memory.states[key], state.detach(), atol=1e-10, rtol=0)


def transition_gradient(reach, cut):
    """Gradient of the limited states' transition in a window without purchases."""
    rng = np.random.default_rng(0)
    columns = random_stream_columns(rng, 40, 3, 6, purchase_share=0.8)
    columns["purchase"][cut:] = False
    past = Past(EventLog.from_columns(**columns))
    past.move_to(40)
    torch.manual_seed(0)
    settings = NetworkSettings(embedding_size=4, purchase_reach=reach)
    network = build_network(Making(settings, past, 40)).double()
    network.commit(network.unroll(doubled(network.look(past, 0, cut, past.look([], [])))))
    network.loss(network.unroll(looked(network, past, cut, 40))).backward()
    return network.branch.transition.grad


def test_without_reach_gradients_end_at_the_start_of_the_window():
    assert transition_gradient(0, 20) is None or not transition_gradient(0, 20).any()
    assert transition_gradient(1, 20).any()
    assert not torch.equal(transition_gradient(1, 20), transition_gradient(3, 20))


def test_contexts_equal_the_naive_loop():
    network, past = make_network(5)
    naive = NaiveNetwork(network, past.log)
    with torch.no_grad():
        for start, stop in windows(0, 40, 13):
            events = np.arange(start, stop)
            window = doubled(network.look(past, start, stop, past.look_at_events(events)))
            unrolled = network.unroll(window)
            contexts = network.contexts(unrolled).contexts
            for event in events:
                expected = naive.context(event)
                torch.testing.assert_close(contexts[event - start], expected, atol=1e-10, rtol=0)
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
    network, past = make_network(seed, n_events=50, n_users=users, n_items=4, cell=cell)
    final = []
    for window_size in (50, size):
        network.reset()
        with torch.no_grad():
            for start, stop in windows(0, 50, window_size):
                rows = past.look([], [])
                network.commit(network.unroll(doubled(network.look(past, start, stop, rows))))
        memories = network.states.users, network.states.items, network.branch.memory
        final.append([memory.read(torch.arange(len(memory.states))) for memory in memories])
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


def test_windows_and_rows_outside_the_past_are_refused():
    past = make_network(1)[1]
    none = past.look([], [])
    with pytest.raises(ValueError, match=r"window 30\.\.41 is not inside a past of 40 events"):
        plan_window(past, 30, 41, none)
    rows = past.look([1, 2], [0.0, 0.0], [10, 20])
    with pytest.raises(ValueError, match=r"rows at 10\.\.20 are outside the window 11\.\.20"):
        plan_window(past, 11, 20, rows)
    with pytest.raises(ValueError, match="in the order of their positions"):
        plan_window(past, 0, 40, rows[np.array([1, 0])])

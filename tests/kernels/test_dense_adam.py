"""The lean Adam against torch's own, bit for bit."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.dense_adam import DenseAdam

SHAPES = ((), (5,), (3, 4), (17, 9))
TORCH = {False: torch.optim.Adam, True: torch.optim.AdamW}


def weights(dtype=torch.float32):
    generator = torch.Generator().manual_seed(9)
    return [
        torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in SHAPES
    ]


def torchs(params, options, decoupled=False):
    return TORCH[decoupled](params, fused=True, **options)


def give(all_weights, seed, missing=()):
    """The same gradients to the same weights; none to those that are missing."""
    for params in all_weights:
        generator = torch.Generator().manual_seed(seed)
        for number, weight in enumerate(params):
            grad = torch.randn(weight.shape, generator=generator).to(weight.dtype)
            weight.grad = None if number in missing else grad


def assert_same(first, second):
    """Weights, states and the layout of what is saved."""
    ours, theirs = (of.state_dict() for of in (first, second))
    assert ours["param_groups"] == theirs["param_groups"]
    assert ours["state"].keys() == theirs["state"].keys()
    for key, state in theirs["state"].items():
        assert ours["state"][key].keys() == state.keys()
        for name, value in state.items():
            assert torch.equal(ours["state"][key][name], value)
            assert ours["state"][key][name].dtype == value.dtype
    ours, theirs = ([w for g in of.param_groups for w in g["params"]] for of in (first, second))
    assert all(torch.equal(*pair) for pair in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(deadline=None, max_examples=25)
@given(
    decay=st.sampled_from([0.0, 0.1]),
    windows=st.lists(st.sets(st.integers(0, len(SHAPES) - 1)), min_size=1, max_size=6),
)
def test_every_step_equals_torchs(decoupled, dtype, decay, windows):
    ours, theirs = weights(dtype), weights(dtype)
    options = {"lr": 0.03, "betas": (0.8, 0.95), "weight_decay": decay}
    second = torchs(theirs, options, decoupled)
    first = DenseAdam(ours, decoupled_weight_decay=decoupled, **options)
    for seed, missing in enumerate(windows):
        give((ours, theirs), seed, missing)
        first.step()
        second.step()
        assert_same(first, second)


@pytest.mark.parametrize("before", ["ours", "torch's"])
@pytest.mark.parametrize("after", ["ours", "torch's"])
def test_states_of_one_optimiser_load_into_the_other(before, after):
    make = {"ours": DenseAdam, "torch's": lambda params: torchs(params, {})}
    params, expected = weights(), weights()
    optimizer, whole = make[before](params), torchs(expected, {})
    for seed in range(3):
        give((params, expected), seed, {seed})
        optimizer.step()
        whole.step()
    loaded = make[after](params)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for seed in range(3, 6):
        give((params, expected), seed, {seed - 3})
        loaded.step()
        whole.step()
    assert_same(loaded, whole)


def test_a_state_may_be_loaded_between_steps():
    params, expected = weights(), weights()
    optimizer, whole = DenseAdam(params), torchs(expected, {})
    give((params, expected), 0)
    optimizer.step()
    whole.step()
    saved = copy.deepcopy(optimizer.state_dict())
    kept = [weight.detach().clone() for weight in params]
    give((params,), 1)
    optimizer.step()
    optimizer.load_state_dict(saved)
    with torch.no_grad():
        for weight, old in zip(params, kept, strict=True):
            weight.copy_(old)
    give((params, expected), 2)
    optimizer.step()
    whole.step()
    assert_same(optimizer, whole)


def test_a_state_that_was_not_fused_loads():
    params, expected = weights(), weights()
    plain, whole = torch.optim.Adam(params), torch.optim.Adam(expected)
    give((params, expected), 0)
    plain.step()
    whole.step()
    loaded = DenseAdam(params)
    loaded.load_state_dict(plain.state_dict())
    give((params, expected), 1)
    loaded.step()
    whole.step()
    for ours, theirs in zip(params, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("decoupled", [False, True])
def test_options_are_taken_over_group_by_group(decoupled):
    of = TORCH[decoupled]
    params = weights()
    options = {"lr": 0.1, "betas": (0.5, 0.6), "eps": 1e-3}

    def groups():
        return [{"params": params[:2]}, {"params": params[2:], "lr": 0.5, "weight_decay": 0.2}]

    taken = DenseAdam.instead_of(of(groups(), **options))
    fused = of(groups(), **options, fused=True)
    assert_same(taken, fused)
    assert taken.defaults == fused.defaults


def test_the_learning_rate_may_change_between_steps():
    params, expected = weights(), weights()
    first, second = DenseAdam(params), torchs(expected, {})
    for seed, rate in enumerate((0.1, 0.2, 0.05)):
        for of in (first, second):
            of.param_groups[0]["lr"] = rate
        give((params, expected), seed)
        first.step()
        second.step()
    assert_same(first, second)


def test_a_closure_is_called_and_weights_learn():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = DenseAdam([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]


def test_sparse_gradients_are_refused():
    table = torch.nn.Embedding(5, 3, sparse=True)
    optimizer = DenseAdam(table.parameters())
    table(torch.tensor([1])).sum().backward()
    with pytest.raises((RuntimeError, NotImplementedError)):
        optimizer.step()

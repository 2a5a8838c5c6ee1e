"""Gated layers without padding, against the published form with torch's own attention."""

import pytest
import torch
from torch import nn

from recbole_imn.baselines.ligr import LiGRLayer

WIDTH, HEADS = 8, 2


class Published(nn.Module):
    """The layer as RecTools has it: every sequence padded on the left."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).double()
        own = {
            "in_proj_weight": layer.project.weight,
            "in_proj_bias": layer.project.bias,
            "out_proj.weight": layer.mix.weight,
            "out_proj.bias": layer.mix.bias,
        }
        self.attention.load_state_dict({name: value.detach() for name, value in own.items()})

    def forward(self, sequence):
        layer, n = self.layer, len(sequence)
        padded = torch.cat([torch.randn(3, WIDTH, dtype=torch.float64), sequence])[None]
        mask = ~torch.tril(torch.ones(n + 3, n + 3, dtype=torch.bool))
        mask[:, :3] = True
        mask[torch.arange(3), torch.arange(3)] = False
        normed = layer.norm_1(padded)
        met, _ = self.attention(normed, normed, normed, attn_mask=mask, need_weights=False)
        seen = padded + torch.sigmoid(layer.gate_1(padded)) * met
        network, inner = layer.feed_forward, layer.norm_2(seen)
        fed = network.out(nn.functional.silu(network.gate(inner)) * network.value(inner))
        return (seen + torch.sigmoid(layer.gate_2(seen)) * fed)[0, 3:]


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return LiGRLayer(WIDTH, HEADS, 16, 0.5).double().eval()


def test_sequences_of_different_lengths_are_as_published(layer):
    lengths = (4, 1, 6)
    tokens = torch.randn(sum(lengths), WIDTH, dtype=torch.float64)
    there = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    published = Published(layer)
    expected = torch.cat([published(part) for part in tokens.split(lengths)])
    torch.testing.assert_close(layer(tokens, there), expected, rtol=0, atol=1e-12)


def test_the_last_token_alone_is_that_of_all(layer):
    tokens = torch.randn(5, WIDTH, dtype=torch.float64)
    whole = layer(tokens, torch.ones(1, 5, dtype=torch.bool))
    torch.testing.assert_close(layer.latest(tokens), whole[-1:], rtol=0, atol=1e-12)


def test_no_token_sees_a_later_one(layer):
    tokens = torch.randn(5, WIDTH, dtype=torch.float64)
    there = torch.ones(1, 5, dtype=torch.bool)
    before = layer(tokens, there)
    tokens[3] += 1
    after = layer(tokens, there)
    assert torch.equal(after[:3], before[:3])
    assert not torch.equal(after[4], before[4])

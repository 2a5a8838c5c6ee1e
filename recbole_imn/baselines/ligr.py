"""Transformer layers with gates, for sequences of any lengths without a place for padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, silu


class SwiGLU(nn.Module):
    r"""Feed-forward network with a gate: :math:`W_2 (silu(W_1 x) \odot W_3 x)`.

    Parameters
    ----------
    width, inner : int
    dropout : float
    """

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.gate = nn.Linear(width, inner, bias=False)
        self.value = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Give float32 [n_tokens, width] for the same."""
        result: Tensor = self.out(self.dropout(silu(self.gate(tokens)) * self.value(tokens)))
        return result


class LiGRLayer(nn.Module):
    r"""A pre-norm transformer layer whose two residual branches are gated by their input.

    .. math::
        y &= x + \sigma(G_1 x) \odot \mathrm{attention}(\mathrm{norm}(x)) \\
        z &= y + \sigma(G_2 y) \odot \mathrm{swiglu}(\mathrm{norm}(y))

    As in [1]_, and in eSASRec [2]_. Each token attends to itself and those before it.

    Parameters
    ----------
    width, n_heads, inner : int
        ``inner`` is the width of the feed-forward network.
    dropout : float
        Of attention weights, inside the feed-forward network, and of both branches.

    References
    ----------
    .. [1] F. Borisyuk et al., "From features to transformers: redefining ranking for scalable
       impact", arXiv 2502.03417, 2025.
    .. [2] D. Tikhonovich et al., "eSASRec: enhancing transformer-based recommendations in a
       modular fashion", RecSys 2025, arXiv 2508.06450.
    """

    def __init__(self, width: int, n_heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.gate_1, self.gate_2 = nn.Linear(width, width), nn.Linear(width, width)
        self.feed_forward = SwiGLU(width, inner, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        """Give the layer's output for tokens of several sequences.

        Parameters
        ----------
        tokens : float32 [n_tokens, width]
            Sequence by sequence.
        there : bool [n_sequences, longest]
            Where the tokens lie in a table of sequences, aligned left.

        Returns
        -------
        float32 [n_tokens, width]
        """
        projected = self.project(self.norm_1(tokens))
        table = projected.new_zeros((*there.shape, projected.shape[1]))
        table[there] = projected
        query, key, value = (self._heads(part) for part in table.chunk(3, dim=-1))
        share = self.dropout.p if self.training else 0.0
        # Aligned left, no token can see what is padding: it lies behind.
        met = scaled_dot_product_attention(query, key, value, dropout_p=share, is_causal=True)
        return self._gated(tokens, met.transpose(1, 2).flatten(2)[there])

    def latest(self, tokens: Tensor) -> Tensor:
        """Give the output for the last token of one sequence alone, float32 [1, width].

        Parameters
        ----------
        tokens : float32 [n_tokens, width]
        """
        table = self.project(self.norm_1(tokens)).unsqueeze(0)
        query, key, value = (self._heads(part) for part in table.chunk(3, dim=-1))
        met = scaled_dot_product_attention(query[:, :, -1:], key, value)
        return self._gated(tokens[-1:], met.transpose(1, 2).flatten(2)[0])

    def _heads(self, table: Tensor) -> Tensor:
        """Split the last axis by heads: [n_sequences, n_heads, longest, width / n_heads]."""
        heads: Tensor = table.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        return heads

    def _gated(self, tokens: Tensor, met: Tensor) -> Tensor:
        """Add both branches to tokens, given what attention has met."""
        tokens = tokens + torch.sigmoid(self.gate_1(tokens)) * self.dropout(self.mix(met))
        fed = self.dropout(self.feed_forward(self.norm_2(tokens)))
        result: Tensor = tokens + torch.sigmoid(self.gate_2(tokens)) * fed
        return result

"""A modern transformer over users' histories: shifted targets, gated layers, many negatives."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.trainer import Trainer
from recbole.utils import InputType
from torch import Tensor, nn

from recbole_imn.baselines.ligr import LiGRLayer
from recbole_imn.baselines.sampled_losses import generalised_bce, sampled_softmax
from recbole_imn.baselines.sequences import SequenceDataLoader
from recbole_imn.errors import SettingsError
from recbole_imn.model.recency import popularity
from recbole_imn.model.rows import event_indices
from recbole_imn.validation import Strict, told

Positive = Annotated[int, Field(gt=0, le=2**16)]
BETAS = (0.9, 0.98)
# Items that are multiplied with all rows' users before the next ones.
BLOCK = 2048


@told(SettingsError)
@dataclass(config=Strict.model_config)
class TransformerSettings:
    """Options of :class:`ESASRec`.

    Attributes
    ----------
    hidden_size : int
        Width of embeddings and tokens.
    n_layers, n_heads : int
    inner_size : int
        Width of the feed-forward networks.
    dropout : float
    sequence_loss : str
        'sampled_softmax' or 'gbce'.
    n_negatives : int
        Items drawn for a batch, all positions of which share them; with as many as there are in
        the catalogue, or more, it is the whole catalogue.
    gbce_calibration : float
        Of the loss 'gbce', 0..1.

    Raises
    ------
    SettingsError
        With the option, its value and what it may be.
    """

    hidden_size: Positive
    n_layers: Positive
    n_heads: Positive
    inner_size: Positive
    dropout: Annotated[float, Field(ge=0, lt=1)]
    sequence_loss: Literal["sampled_softmax", "gbce"]
    n_negatives: Positive
    gbce_calibration: Annotated[float, Field(ge=0, le=1)]


class ESASRec(SequentialRecommender):  # type: ignore[misc]  # RecBole is untyped
    r"""SASRec as it is best trained today: eSASRec [1]_, after its authors' RecTools [2]_.

    A causal transformer of gated layers (:class:`~recbole_imn.baselines.ligr.LiGRLayer`) reads
    the user's latest items. In training every position of a user's sequence has the next item
    as its target, against many items drawn evenly from the catalogue. An item's score is the
    product of its embedding, which is that of the input too, with the last token.

    What is as in RecTools 0.19: layers with Xavier's normal initial weights, learned positions
    that are counted from the end, dropout of the input, Adam with 0.9 and 0.98, the losses.
    What is not: negatives are shared by a batch, so that there can be many more of them, and are
    never the position's own target; users with long histories give several pieces rather than
    their latest one; embeddings begin with lengths of about 1 (items) and 1/4 (positions), as
    lengths that fall with the size of the catalogue take many more epochs; sequences are not
    padded. RecTools itself asks for numpy below 2 and pandas below 3,
    and so cannot be installed beside what this package is tested with.

    Learned from the training part only; a row's history goes up to the row. Rows without any
    history are ranked by training events. A row is computed by itself, so that its bits do not
    depend on others.

    Parameters
    ----------
    config : recbole.config.Config
        The options of :class:`TransformerSettings`; ``MAX_ITEM_LIST_LENGTH``: latest items that
        are read.
    dataset : IMNNetDataset

    References
    ----------
    .. [1] D. Tikhonovich et al., "eSASRec: enhancing transformer-based recommendations in a
       modular fashion", RecSys 2025, arXiv 2508.06450.
    .. [2] https://github.com/MobileTeleSystems/RecTools
    """

    input_type = InputType.POINTWISE
    training_loader = SequenceDataLoader
    popularity: Tensor

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        names = [field.name for field in fields(TransformerSettings)]
        options = self.settings = TransformerSettings(**{name: config[name] for name in names})
        if options.hidden_size % options.n_heads:
            raise SettingsError(
                f"hidden_size is {options.hidden_size}; it must be a multiple of n_heads "
                f"({options.n_heads})"
            )
        self.past = dataset.past
        training = dataset.log.item[: dataset.event_bounds[1]]
        self.register_buffer("popularity", popularity(training, self.n_items))

        # define layers and loss
        width = options.hidden_size
        self.items = nn.Embedding(self.n_items, width)
        self.places = nn.Embedding(self.max_seq_length, width)
        self.layers = nn.ModuleList(
            LiGRLayer(width, options.n_heads, options.inner_size, options.dropout)
            for _ in range(options.n_layers)
        )
        self.dropout = nn.Dropout(options.dropout)
        self._initialise()

    def _initialise(self) -> None:
        """Draw weights by Xavier's normal, but for embeddings."""
        for weight in self.layers.parameters():
            if weight.ndim > 1:
                nn.init.xavier_normal_(weight)
        # By Xavier's, those of 30,000 items would be a tenth of it, and of the places' share.
        scale = self.settings.hidden_size**-0.5
        nn.init.normal_(self.items.weight, std=scale)
        nn.init.normal_(self.places.weight, std=scale / 4)

    # -- training --------------------------------------------------------------------------

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Give the loss of all positions of some sequences, float [].

        Parameters
        ----------
        interaction : Interaction
            From a :class:`~recbole_imn.baselines.sequences.SequenceDataLoader`: items, int64
            [n_sequences, longest], and their number, the last of which is a target only.
        """
        items, lengths = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        there = torch.arange(items.shape[1] - 1, device=items.device) < lengths[:, None] - 1
        tokens = self._tokens(items[:, :-1][there], _from_the_end(there))
        for layer in self.layers:
            tokens = layer(tokens, there)
        return self._loss(tokens, items[:, 1:][there])

    def _loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        options = self.settings
        drawn = self._negatives(targets.device)
        others = tokens @ self.items(drawn).T
        others = others.masked_fill(drawn == targets.unsqueeze(1), -torch.inf)
        target = (tokens * self.items(targets)).sum(dim=1)
        if options.sequence_loss == "gbce":
            return generalised_bce(target, others, self.n_items - 1, options.gbce_calibration)
        return sampled_softmax(target, others)

    def _negatives(self, device: torch.device) -> Tensor:
        """Draw items for a batch, int64 [n_negatives]; all of them where there are no more."""
        if self.settings.n_negatives >= self.n_items - 1:
            return torch.arange(1, self.n_items, device=device)
        return torch.randint(1, self.n_items, (self.settings.n_negatives,)).to(device)

    def _tokens(self, items: Tensor, places: Tensor) -> Tensor:
        """Give inputs of the first layer, float32 [n_tokens, hidden_size]."""
        tokens: Tensor = self.dropout(self.items(items) + self.places(places))
        return tokens

    # -- scores ----------------------------------------------------------------------------

    @torch.no_grad()
    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the whole catalogue for each row, float32 [n, n_items]."""
        events = event_indices(interaction)
        latest = self.past.histories(self.past.chains.user[events], self.max_seq_length)
        items = np.where(latest >= 0, self.past.log.item[latest], 0).astype(np.int64)
        lengths = (latest >= 0).sum(axis=1).tolist()
        users = {
            row: self._user(torch.from_numpy(items[row, :n][::-1].copy()))
            for row, n in enumerate(lengths)
            if n > 0
        }
        scores = self.popularity.repeat(len(events), 1)
        # One row at a time, whatever the others are; items that the processor still holds.
        for start in range(0, self.n_items, BLOCK):
            block = self.items.weight[start : start + BLOCK]
            for row, user in users.items():
                torch.mv(block, user, out=scores[row, start : start + BLOCK])
        return scores

    def _user(self, items: Tensor) -> Tensor:
        """Give what the last layer makes of a history, float32 [hidden_size].

        Parameters
        ----------
        items : int64 [n]
            Oldest first.
        """
        items = items.to(self.items.weight.device)
        there = torch.ones((1, len(items)), dtype=torch.bool, device=items.device)
        tokens = self._tokens(items, _from_the_end(there))
        for layer in self.layers[:-1]:
            tokens = layer(tokens, there)
        last: Any = self.layers[-1]
        result: Tensor = last.latest(tokens)[0]
        return result

    def predict(self, interaction: Interaction) -> Tensor:
        """Score one item a row, float32 [n]."""
        items: Tensor = interaction[self.ITEM_ID].reshape(-1, 1)
        return self.full_sort_predict(interaction).gather(1, items).squeeze(1)


def _from_the_end(there: Tensor) -> Tensor:
    """Give the places of tokens, counted from their sequence's end, int64 [n_tokens]."""
    lengths = there.sum(dim=1, keepdim=True)
    places: Tensor = (lengths - 1 - torch.arange(there.shape[1], device=there.device))[there]
    return places


class ESASRecTrainer(Trainer):  # type: ignore[misc]  # RecBole is untyped
    """RecBole's trainer with Adam's moments as RecTools has them."""

    def _build_optimizer(self, **kwargs: Any) -> torch.optim.Optimizer:
        weights = kwargs.pop("params", self.model.parameters())
        return torch.optim.Adam(
            weights, lr=self.learning_rate, betas=BETAS, weight_decay=self.weight_decay
        )

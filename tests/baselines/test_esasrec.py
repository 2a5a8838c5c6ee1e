"""What is particular to the transformer."""

import numpy as np
import pytest
import torch

from recbole_imn.errors import SettingsError


def test_a_loss_is_that_of_every_position(prepare):
    """Each target against the catalogue, from a prefix that is computed by itself."""
    _, _, (train, *_), model = prepare("ESASRec", hidden_size=16, inner_size=32, n_heads=2)
    model.double().eval()
    batch = next(iter(train))
    losses = []
    for items, length in zip(batch["item_id_list"], batch["item_length"].tolist(), strict=True):
        for stop in range(1, length):
            # Places are counted from the end of the whole sequence.
            places = torch.arange(length - 2, length - 2 - stop, -1)
            tokens = model._tokens(items[:stop], places)
            for layer in model.layers:
                tokens = layer(tokens, torch.ones(1, stop, dtype=torch.bool))
            scores = model.items.weight[1:] @ tokens[-1]
            losses.append(scores.logsumexp(0) - scores[items[stop] - 1])
    expected = torch.stack(losses).mean()
    torch.testing.assert_close(model.calculate_loss(batch), expected, rtol=1e-9, atol=0)


def test_few_negatives_are_drawn_and_a_target_is_none_of_its_own(prepare):
    _, _, _, model = prepare("ESASRec", n_negatives=5)
    drawn = model._negatives(torch.device("cpu"))
    assert drawn.shape == (5,)
    assert ((drawn > 0) & (drawn < model.n_items)).all()
    model._negatives = lambda device: torch.tensor([3, 4, 4, 5, 6])
    tokens = torch.randn(2, 128)
    found = model._loss(tokens, torch.tensor([3, 3]))
    model._negatives = lambda device: torch.tensor([4, 4, 5, 6])
    torch.testing.assert_close(model._loss(tokens, torch.tensor([3, 3])), found)
    assert not torch.equal(model._loss(tokens, torch.tensor([7, 7])), found)


def test_gbce_is_another_loss_that_can_be_learned(prepare):
    _, _, (train, *_), model = prepare("ESASRec", sequence_loss="gbce", n_negatives=6)
    model.eval()
    optimizer, batch = torch.optim.Adam(model.parameters(), 0.01), next(iter(train))
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.calculate_loss(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_only_the_latest_items_are_read(prepare):
    _, _, (_, _, test), model = prepare("ESASRec", MAX_ITEM_LIST_LENGTH=3)
    rows = test._dataset[np.arange(6)]
    read = []
    model._user = lambda items: read.append(items.tolist()) or torch.zeros(128)
    model.full_sort_predict(rows)
    log = model.past.log
    for event, items in zip(rows["event_index"].tolist(), read, strict=True):
        own = log.item[:event][log.user[:event] == log.user[event]]
        assert items == own[-3:].tolist()


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_heads", 3), ("dropout", 1.0), ("sequence_loss", "hinge"), ("n_negatives", 0)],
)
def test_a_setting_that_cannot_be_is_told(prepare, name, value):
    with pytest.raises(SettingsError, match=f"{name}"):
        prepare("ESASRec", **{name: value})

"""What comes later in a log, and what is listed later, changes nothing of what was before.

Ids of earlier users and items stay. Where users or items are added, tables of ids grow, and
what is drawn at random with them; tests here keep the number of both.
"""

import numpy as np
import pytest
import torch

from recbole_imn.model import negatives
from recbole_imn.model.negatives import Negatives
from tests.reliability.logs import CE, RICH, rich_items, rich_rows, scores_of, train, write_rich

N_TRAINING, N_KNOWN = 240, 270
POPULAR = {"distribution": "popularity", "sample_num": 1, "alpha": 1.0, "dynamic": False}
MODELS = [
    ("IMNNetPlus", RICH),
    ("IMNNet", {**RICH, "resource_branch": "full", "inventory_features": ["paid", "kind"]}),
    ("JODIE", RICH),
    ("Popularity", RICH),
    ("SASRec", {**RICH, **CE}),
    ("FPMC", {**RICH, "train_neg_sample_args": {**POPULAR, "candidate_num": 0}}),
    ("GRU4RecF", {**RICH, **CE, "selected_features": ["brand", "genres"]}),
    ("SASRecF", {**RICH, **CE, "selected_features": ["brand"]}),
    ("FDSA", {**RICH, **CE, "selected_features": ["brand"]}),
    ("IMNNetPlus", {**RICH, "normalize_all": True}),
    (
        "IMNNetPlus",
        {
            **RICH,
            "numerical_features": ["paid", "price"],
            "discretization": {
                "paid": {"method": "LD"},
                "price": {"method": "ED", "bucket": 4},
            },
        },
    ),
]
CHANGES = ["events", "listings"]
# Empty cells, unseen categories and new extremes, in turn.
EVENTS = [["", "", ""], ["1", "new", "t9 new"], ["1e9", "k0", ""]]
LISTINGS = [
    ["", "", "", ""],
    ["new", "5", "g9 g8 g7 g6 g5 g4 g3", "1 2"],
    ["b1", "-1e12", "g0 g1 g2 g3 g4 g5", "1e9 -1e9"],
]


def changed(change, rows, items):
    """Change cells of test events, or of items that no earlier event has."""
    rows, items = [list(row) for row in rows], dict(items)
    if change == "events":
        for place, row in enumerate(rows[N_KNOWN:]):
            row[5:] = EVENTS[place % 3]
        rows[-1][3] = "rent"
    else:
        seen = {row[1] for row in rows[:N_KNOWN]}
        for place, item in enumerate(item for item in items if item not in seen):
            items[item] = LISTINGS[place % 3]
    return rows, items


def logs():
    """A log in which the newest items come first in the file, and some are never touched."""
    rows, items = rich_rows(), rich_items()
    items = {**{f"new{place}": ["b2", "7", "g1", "0 1"] for place in range(3)}, **items}
    for place, row in enumerate(rows[N_KNOWN:]):
        row[1] = f"new{place % 2}"
    return rows, items


@pytest.fixture(autouse=True)
def known_negatives(monkeypatch):
    """Let IMNNetPlus draw negatives among known items.

    It draws them from the whole catalogue, as it ranks, with the attributes of all items that
    are listed; this is no statistic, and the one way in which later listings do act.
    """

    def draw(past, start, n_active, n_others, rng):
        items = np.unique(past.log.item[:N_KNOWN]).astype(np.int64)
        return Negatives(items, np.zeros(len(items), np.float32))

    monkeypatch.setattr(negatives, "draw_strata", draw)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "options"), MODELS)
def test_changes_of_later_parts_move_nothing(prepare, toy, name, options, change):
    found = []
    rows, items = logs()
    for data, log in (("before", (rows, items)), ("after", changed(change, rows, items))):
        write_rich(toy, data, *log)
        _, dataset, (training, validation, _), model = prepare(name, dataset=data, **options)
        losses = train(model, training)
        weights = {key: value.clone() for key, value in model.state_dict().items()}
        ids = dataset.field2token_id["item_id"]
        found.append((losses, weights, scores_of(model, validation._dataset), ids))
    before, after = found
    assert before[3] == after[3]
    assert before[0] == after[0]
    assert before[1].keys() == after[1].keys()
    for key, value in before[1].items():
        assert torch.equal(value, after[1][key]), key
    # Scores of what is listed later may differ with it.
    old = [before[3][item] for item in {row[1] for row in rows[:N_KNOWN]}]
    chosen = slice(None) if change == "events" else old
    assert torch.equal(before[2][:, chosen], after[2][:, chosen])


def test_changes_of_the_training_part_are_seen(prepare, toy):
    rows, items = logs()
    losses = []
    for data, paid in (("before", "1"), ("after", "900")):
        rows[5][5] = paid
        write_rich(toy, data, rows, items)
        _, _, (training, *_), model = prepare("IMNNetPlus", dataset=data, **RICH)
        losses.append(train(model, training))
    assert losses[0] != losses[1]


def test_new_users_and_items_leave_the_ids_of_earlier_ones(prepare, toy):
    rows, items = logs()
    tokens = []
    for data in ("before", "after"):
        write_rich(toy, data, rows, items)
        dataset = prepare("IMNNetPlus", dataset=data, **RICH)[1]
        used = {row[1] for row in rows[:N_KNOWN]}
        kept = {item: dataset.field2token_id["item_id"][item] for item in used}
        users = dataset.field2token_id["user_id"]
        tokens.append((kept, users["u1"], dataset.item_features.shape[1]))
        rows = [*rows[:-1], ["someone", "newest", *rows[-1][2:]]]
        items = {"newest": ["b9", "1", "g9", ""], **items}
    assert tokens[0] == tokens[1]


@pytest.mark.parametrize(
    "split",
    [
        {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user"},
        {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user"},
        {"split": {"TS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "user"},
    ],
)
def test_other_splits_have_their_own_training_part(make_config, toy, split):
    from recbole.data import create_dataset

    write_rich(toy, "rich")
    split = {**split, "mode": "full"}
    options = {**RICH, **CE}
    dataset = create_dataset(make_config("SASRec", dataset="rich", eval_args=split, **options))
    inside = dataset.in_training.copy()
    training, validation, test = dataset.build()
    assert inside[training.inter_feat["event_index"].numpy()].all()
    for part in (validation, test):
        assert not inside[part.inter_feat["event_index"].numpy()].any()


def test_an_empty_cell_is_the_mean_of_the_training_part(prepare, toy):
    rows, items = rich_rows(), rich_items()
    rows[3][5] = rows[290][5] = ""
    for row in rows[N_TRAINING:]:
        row[5] = row[5] and "1000"
    write_rich(toy, "rich", rows, items)
    dataset = prepare("IMNNetPlus", dataset="rich", **RICH)[1]
    paid = dataset.log.features[:, 0]
    assert paid[3] == paid[290] == pytest.approx(0, abs=1e-6)
    assert paid[250] > 100

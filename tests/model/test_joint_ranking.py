"""The search for ranking weights, against plain loops and on a trained model."""

import numpy as np
import pytest
import torch
from recbole.utils import get_trainer

from recbole_imn.errors import SettingsError
from recbole_imn.model.joint_ranking import (
    N_WEIGHTS,
    WeightSearch,
    spread,
    sweep_ranks,
)
from recbole_imn.rank_metrics import rank_metric

GRID = torch.linspace(0, 1, N_WEIGHTS, dtype=torch.float64)


def plain_rank(scores, target):
    """1 + items ahead + half of the others at the same score."""
    ahead = (scores > scores[target]).sum()
    ties = (scores == scores[target]).sum() - 1
    return 1 + float(ahead) + float(ties) / 2


def random_parts(seed, n_rows=7, n_items=30):
    """Small integers, so that there are ties in one part, in both, and at inner weights."""
    generator = torch.Generator().manual_seed(seed)
    parts = torch.randint(-3, 4, (2, n_rows, n_items), generator=generator).double()
    parts[:, :, 0] = -torch.inf
    return *parts, torch.randint(1, n_items, (n_rows,), generator=generator)


@pytest.mark.parametrize("seed", range(5))
def test_the_sweep_equals_ranking_by_each_weight(seed):
    first, second, targets = random_parts(seed)
    # Halves and quarters only: their sums are exact, so that ties are ties here as well.
    grid = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
    ranks = sweep_ranks(first, second, targets, grid)
    for column, weight in enumerate(grid):
        mixed = (1 - weight) * first + weight * second
        expected = [plain_rank(mixed[row], target) for row, target in enumerate(targets)]
        assert ranks[:, column].tolist() == expected


def test_the_sweep_equals_plain_products_of_real_numbers():
    generator = torch.Generator().manual_seed(3)
    first, second = torch.randn(2, 5, 200, generator=generator, dtype=torch.float64)
    targets = torch.arange(5)
    ranks = sweep_ranks(first, second, targets, GRID)
    for column, weight in enumerate(GRID):
        mixed = (1 - weight) * first + weight * second
        expected = [plain_rank(mixed[row], target) for row, target in enumerate(targets)]
        assert ranks[:, column].tolist() == expected


def test_spread_is_pooled_over_the_candidates_of_rows():
    scores = torch.tensor([[-torch.inf, 1.0, 3.0], [5.0, 5.0, -torch.inf]])
    assert spread(scores) == pytest.approx(np.sqrt((1 + 0) / 2))
    assert spread(torch.ones(2, 3)) == 1.0


def test_the_search_finds_where_both_parts_are_needed():
    # The target is second by either part alone, behind items that the other part rejects.
    mse = torch.tensor([[-torch.inf, 3.0, 4.0, 0.0]])
    nce = torch.tensor([[-torch.inf, 3.0, 0.0, 4.0]])
    search = WeightSearch("NDCG@2", standard=False)
    search.add(mse, nce, torch.tensor([1]))
    best = search.best()
    assert best.score == 1.0
    assert 0.25 < best.nce < 0.75
    assert (best.mse + best.nce, best.mse_scale, best.nce_scale) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("name", ["NDCG@2", "MRR@5", "Hit@30"])
def test_the_search_totals_all_rows(name):
    first, second, targets = random_parts(1, n_rows=40)
    search = WeightSearch(name, standard=False)
    search.add(first[:30], second[:30], targets[:30])
    search.add(first[30:], second[30:], targets[30:])
    expected = rank_metric(name)(sweep_ranks(first, second, targets, GRID).numpy()).mean(axis=0)
    best = search.best()
    assert best.score == pytest.approx(expected.max())
    assert best.nce == pytest.approx(GRID[int(expected.argmax())].item())


def test_an_item_that_is_not_shown_is_not_found():
    parts = [torch.tensor([[-torch.inf, 3.0, 4.0, -torch.inf]]) for _ in range(2)]
    search = WeightSearch("NDCG@5", standard=False)
    search.add(*parts, torch.tensor([3]))
    assert search.best().score == 0.0
    search.add(*parts, torch.tensor([2]))
    assert search.best().score == 0.5


def test_scaled_parts_are_weighed_alike_in_any_unit():
    first, second, targets = random_parts(0)
    found = []
    for unit in (1.0, 1024.0):
        search = WeightSearch("NDCG@5", standard=True)
        search.add(first, second * unit, targets)
        found.append(search.best())
    assert found[0].nce == found[1].nce
    assert found[0].score == found[1].score
    assert found[1].nce_scale == pytest.approx(1024 * found[0].nce_scale)


def test_a_search_without_rows_is_refused():
    with pytest.raises(ValueError, match="needs rows"):
        WeightSearch("NDCG@5", standard=True).best()


def trained(prepare, **options):
    config, _, (train, valid, test), model = prepare("IMNNet", epochs=2, **options)
    trainer = get_trainer(config["MODEL_TYPE"], "IMNNet")(config, model)
    score, _ = trainer.fit(train, valid)
    return trainer, model, valid, test, score


@pytest.mark.parametrize("scale", ["standard", "literal"])
def test_validation_ranks_by_the_best_weights(prepare, scale):
    # Parts that begin as the same copy of the previous item would rank alike.
    options = {"ranking_scale": scale, "context_start": "random"}
    trainer, model, valid, _, _ = trained(prepare, **options)
    network, found = model.network, []
    scores, _ = trainer._valid_epoch(valid)
    weights, scales = network.ranking_weights.tolist(), network.ranking_scales.tolist()
    assert sum(weights) == pytest.approx(1)
    assert (scales == [1, 1]) == (scale == "literal")
    trainer.searches_ranking = False
    for weight in GRID.tolist():
        network.set_ranking((1 - weight, weight), tuple(scales))
        found.append(trainer._valid_epoch(valid)[0])
    # RecBole rounds to four decimals.
    assert scores == pytest.approx(max(found), abs=1e-4)
    assert len(set(found)) > 1


def test_a_checkpoint_ranks_by_its_own_weights(prepare):
    trainer, model, _, test, _ = trained(prepare)
    result = trainer.evaluate(test)
    weights = model.network.ranking_weights.clone()
    _, _, _, fresh = prepare("IMNNet", search_ranking_weights=False)
    assert fresh.network.ranking_weights.tolist() == [0.5, 0.5]
    again = get_trainer(trainer.config["MODEL_TYPE"], "IMNNet")(trainer.config, fresh)
    assert again.evaluate(test, model_file=trainer.saved_model_file) == result
    assert torch.equal(fresh.network.ranking_weights, weights)


def test_the_log_tells_the_weights(prepare, caplog):
    caplog.set_level("INFO")
    trained(prepare)
    lines = [record.message for record in caplog.records if "ranking weights" in record.message]
    assert len(lines) == 2
    assert "NDCG@5" in lines[0]


def test_sampled_candidates_are_searched_alike(prepare):
    mode = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "none", "mode": "uni5"}
    _, model, _, _, _ = trained(prepare, eval_args=mode)
    assert model.network.ranking_scales.tolist() != [1, 1]


@pytest.mark.parametrize(
    ("model", "options", "searches"),
    [
        ("IMNNet", {}, True),
        ("IMNNetStar", {}, True),
        ("IMNNet", {"search_ranking_weights": False}, False),
        ("IMN_MSE", {}, False),
        ("IMN_NCE", {}, False),
        ("JODIE", {}, False),
    ],
)
def test_only_two_learned_parts_are_searched(prepare, model, options, searches):
    config, _, _, network = prepare(model, **options)
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    assert trainer.searches_ranking == searches


def test_an_unfit_metric_is_refused_before_training(prepare):
    config, _, _, model = prepare("IMNNet", metrics=["ItemCoverage"], valid_metric="ItemCoverage@5")
    with pytest.raises(SettingsError, match="search_ranking_weights: False"):
        get_trainer(config["MODEL_TYPE"], "IMNNet")(config, model)

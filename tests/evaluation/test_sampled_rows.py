"""A sample of the rows of evaluation: the same for every model, with its standard errors."""

import logging
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.data.excerpt import spread
from recbole_imn.evaluation.bounded import rows_that_fit
from recbole_imn.evaluation.standard_errors import standard_errors


@given(st.integers(0, 500), st.integers(1, 100), st.integers(0, 99))
def test_one_row_of_each_stretch_is_drawn(n_rows, at_most, seed):
    rows = spread(n_rows, at_most, seed)
    assert len(rows) == min(n_rows, at_most)
    assert (np.diff(rows) > 0).all()
    assert ((rows >= 0) & (rows < n_rows)).all()
    if n_rows > at_most:
        ends = np.arange(at_most + 1) * n_rows // at_most
        assert ((rows >= ends[:-1]) & (rows < ends[1:])).all()
    assert (rows == spread(n_rows, at_most, seed)).all()


def rows_of(loader):
    return loader._dataset.inter_feat["event_index"].tolist()


@pytest.mark.parametrize("mode", ["full", "uni5"])
def test_every_model_is_tested_on_the_same_sample(prepare, mode):
    options = {"eval_rows": 7, "eval_args": {"mode": mode}}
    every = [rows_of(loader) for loader in prepare("IMNNet")[2]]
    for model in ("IMNNet", "SASRec", "RecentHistory"):
        loaders = prepare(model, **options)[2]
        samples = [rows_of(loader) for loader in loaders]
        assert len(samples[0]) == len(every[0])
        if model == "IMNNet":
            first = samples
        for sample, same, whole in zip(samples[1:], first[1:], every[1:], strict=True):
            assert sample == same
            assert len(sample) == 7
            assert set(sample) < set(whole)


@pytest.mark.parametrize("split", [{"RS": [0.8, 0.1, 0.1]}, {"LS": "valid_and_test"}])
def test_every_seed_has_the_same_sample_whatever_the_split(prepare, split):
    """Seeds of a benchmark are compared row by row."""
    options = {"eval_rows": 5, "eval_args": {"split": split}}
    parts = [prepare("SASRec", seed=seed, **options)[2][1:] for seed in (1, 2)]
    first, second = ([rows_of(loader) for loader in loaders] for loaders in parts)
    assert first == second
    assert [len(rows) for rows in first] == [5, 5]


def test_standard_errors_are_told_beside_the_metrics(make_config, caplog):
    from recbole_imn.preparation import prepare

    config = make_config("RecentHistory", eval_rows=9, topk=[1, 5])
    _, loaders, trainer = prepare(config)
    collected = []
    original = trainer.evaluator.metric_class["ndcg"].topk_result
    trainer.evaluator.metric_class["ndcg"].topk_result = lambda *given: (
        collected.append(given[1]),
        original(*given),
    )[1]
    with caplog.at_level(logging.INFO):
        trainer.evaluate(loaders[2], load_best_model=False)
    (line,) = [text for text in caplog.messages if "standard errors" in text]
    assert line.startswith("standard errors of 9 rows: recall@1 ")
    expected = collected[0][:, 4].std(ddof=1) / 3
    assert f"ndcg@5 {expected:.4f}" in line
    assert not re.search("nan|inf", line)


def test_no_standard_error_is_known_of_one_row():
    assert np.isnan(standard_errors("ndcg", np.ones((1, 5)), [5])["ndcg@5"])


def test_fewer_rows_are_ranked_at_a_time_where_memory_is_short(prepare):
    assert rows_that_fit(1_000_000, 1) == 1
    assert rows_that_fit(100, 1) == 524
    results = []
    for megabytes in (1024, 1):
        _, dataset, loaders, _ = prepare("IMNNet", ranking_memory=megabytes)
        assert loaders[2].step == min(256, rows_that_fit(dataset.item_num, megabytes))
        results.append(len(loaders[2]))
    assert results == [1, 1]

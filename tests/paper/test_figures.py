"""The paper's tables agree where they overlap, and logs are known by their names."""

import pytest

from recbole_imn.paper.figures import (
    CZB,
    METRICS,
    SYSTEMS,
    TABLE_2,
    TABLE_3,
    TABLE_3_SYSTEMS,
    TABLE_4,
    TABLE_4_SYSTEMS,
    TMALL,
    log_of,
    published,
)


@pytest.mark.parametrize("log", [CZB, TMALL])
def test_tables_have_a_figure_of_every_system_and_metric(log):
    for table, systems in ((TABLE_3, TABLE_3_SYSTEMS), (TABLE_4, TABLE_4_SYSTEMS)):
        assert len(table[log]) == len(METRICS)
        assert {len(row) for row in table[log]} == {len(systems)}
        assert all(0 < figure < 1 for row in table[log] for figure in row)


@pytest.mark.parametrize("log", [CZB, TMALL])
@pytest.mark.parametrize("system", ["JODIE", "IMNNet"])
def test_the_tables_agree_where_both_have_a_figure(log, system):
    place, other = TABLE_3_SYSTEMS.index(system), TABLE_4_SYSTEMS.index(system)
    for row, second in zip(TABLE_3[log], TABLE_4[log], strict=True):
        assert row[place] == second[other]


def test_figures_by_name():
    assert published(CZB, "IMNNet", "recall@10") == 0.0856
    assert published(TMALL, "SASRec", "ndcg@20") == 0.4900
    assert published(CZB, "IMNNetStar", "ndcg@10") == 0.0618
    assert published(CZB, "IMNNetPlus", "ndcg@10") is None
    assert all(published(CZB, system, "recall@20") for system in SYSTEMS)


@pytest.mark.parametrize("log", [CZB, TMALL])
def test_more_is_found_among_twenty_than_among_ten(log):
    for system in SYSTEMS:
        for metric in ("recall", "ndcg"):
            assert published(log, system, f"{metric}@20") > published(log, system, f"{metric}@10")


def test_shares_of_actions_contradict_the_printed_ones():
    log = TABLE_2[CZB]
    assert round(log.actions / log.users, 1) == 60.4
    assert log.actions_a_user == 378


@pytest.mark.parametrize(
    ("dataset", "simulated", "log"),
    [
        ("czb", True, CZB),
        ("czb-mini", True, CZB),
        ("czb005", True, CZB),
        ("anything", True, CZB),
        ("czb", False, CZB),
        ("chezhibao", False, CZB),
        ("CheZhiBao_2019", False, CZB),
        ("tmall", False, TMALL),
        ("Tmall-buy", False, TMALL),
        ("koubei2016", False, TMALL),
        ("retailrocket", False, None),
        ("notmall", False, None),
        ("2016", False, None),
    ],
)
def test_logs_are_known_by_the_first_word(dataset, simulated, log):
    assert log_of(dataset, simulated) == log

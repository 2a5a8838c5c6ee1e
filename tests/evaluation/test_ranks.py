"""Ranks are those of the rows and scores that RecBole judges."""

import pytest
from recbole.utils import get_trainer

from recbole_imn.evaluation.metrics import metrics_of_ranks
from recbole_imn.evaluation.ranks import RankRecorder


@pytest.mark.parametrize("model", ["IMNNet", "SASRec", "RecentHistory"])
def test_metrics_of_ranks_are_recboles_where_nothing_ties(prepare, model):
    options = {"hidden_size": 8, "inner_size": 8, "metric_decimal_place": 12, "topk": [10, 20]}
    config, _, (train, valid, test), network = prepare(model, valid_metric="NDCG@10", **options)
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    recorder = RankRecorder(trainer)
    trainer.fit(train, valid)
    official = trainer.evaluate(test)
    table = recorder.table()
    assert table["event_index"].tolist() == test._dataset.inter_feat["event_index"].tolist()
    assert not table["ties"].any()
    own = metrics_of_ranks(table["rank"].to_numpy())
    for name in ("recall@10", "ndcg@10", "mrr@10", "ndcg@20"):
        assert own[name] == pytest.approx(official[name], abs=1e-6)


def test_the_table_names_users_and_items_as_the_log_does(prepare):
    config, _, (_, _, test), network = prepare("LastItem")
    trainer = get_trainer(config["MODEL_TYPE"], "LastItem")(config, network)
    recorder = RankRecorder(trainer)
    trainer.evaluate(test, load_best_model=False)
    table, log = recorder.table(), test._dataset.log
    tokens = test._dataset.id2token("item_id", log.item[table["event_index"]])
    assert table["item"].tolist() == tokens.tolist()
    assert table["user"].str.startswith("u").all()

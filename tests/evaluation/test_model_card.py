"""Cards are read back as a model hub and a person would."""

from dataclasses import replace

import numpy as np
import pandas as pd
import yaml

from recbole_imn import command_line
from recbole_imn.evaluation.model_card import Facts, interval_results, write_card

GLOBAL = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": None}
TABLE = pd.DataFrame({"user": ["a", "a", "b", "b"], "rank": [1.0, 2.0, 11.0, np.inf]})
FACTS = Facts(
    model="IMNNet",
    dataset="toy",
    simulated="toy is SIMULATED data",
    fingerprint="abc",
    candidates="on_shelf",
    config={"seed": 7, "embedding_size": 8, "secret": 1, "eval_args": GLOBAL},
    environment=dict.fromkeys(("commit", "python", "recbole", "torch", "numpy", "pandas"), "1.0"),
)


def test_head_and_body(tmp_path):
    path = write_card(tmp_path / "IMNNet-now.pth", FACTS, TABLE)
    assert path == tmp_path / "IMNNet-now.md"
    _, head, body = path.read_text().split("---\n", 2)
    values = yaml.safe_load(head)
    (entry,) = values["model-index"][0]["results"]
    assert entry["dataset"]["name"] == "toy (simulated)"
    assert {"type": "recall@10", "value": 0.5} in entry["metrics"]
    assert values["metrics"] == ["mrr", "ndcg", "recall"]
    assert "**toy is SIMULATED data.**" in body
    assert "4 test rows of 2 users, the items on the shelf ranked" in body
    assert "| recall@10 | 0.5000 | 0.0000 to 1.0000 |" in body
    assert "* `seed`: 7" in body
    assert "secret" not in body
    assert 'load_data_and_model("IMNNet-now.pth")' in body


def test_the_split_is_told_as_it_was(tmp_path):
    assert "begins after all training" in write_card(tmp_path / "a.pth", FACTS, TABLE).read_text()
    apart = {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user"}
    other = replace(FACTS, config={**FACTS.config, "eval_args": apart})
    text = write_card(tmp_path / "b.pth", other, TABLE).read_text()
    assert "begins after all training" not in text
    assert "`{'LS': 'valid_and_test'}`, order TO, for each user apart" in text


def test_a_card_leads_with_whole_rankings_where_they_chose_the_best_epoch(tmp_path):
    chosen = replace(FACTS, config={**FACTS.config, "protocol": "tgb", "valid_metric": "FullMRR"})
    body = write_card(tmp_path / "a.pth", chosen, TABLE).read_text()
    # 1, 1/2, 1/11 and nothing.
    assert "| fullmrr | 0.3977 |" in body
    assert "* `protocol`: tgb" in body
    assert "fullmrr" not in write_card(tmp_path / "b.pth", FACTS, TABLE).read_text()


def test_intervals_hold_the_mean():
    for mean, low, high in interval_results(TABLE).values():
        assert low <= mean <= high


def test_the_entry_point_leaves_a_card_that_tells_its_results(toy, capsys):
    options = ["--model=LastItem", "--dataset=toy", f"--data_path={toy}", "--show_progress=False"]
    assert command_line.main([*options, "--topk=[10,20]", "--metrics=['NDCG']"]) == 0
    printed = capsys.readouterr().out
    (card,) = (toy / "saved").glob("LastItem-*.md")
    assert f"model card  {card.relative_to(toy)}" in printed
    figure = next(line for line in card.read_text().splitlines() if line.startswith("| ndcg@10"))
    ours = figure.split("|")[2].strip()
    row = next(line for line in printed.splitlines() if line.strip().startswith("ndcg@10"))
    assert row.split()[1] == ours

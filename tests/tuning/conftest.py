"""Studies of FPMC on a toy log, whose trials may take no time."""

import pytest
import yaml

from recbole_imn.tuning import study as study_module
from recbole_imn.tuning.objective import TrialRequest
from recbole_imn.tuning.space import Choices, Range
from recbole_imn.tuning.study import Budget, Tuning

FIXED = {"use_gpu": False, "topk": [5], "valid_metric": "NDCG@5", "show_progress": False}


@pytest.fixture
def arguments(toy):
    """Options of a short study of FPMC on the toy log."""
    (toy / "fixed.yaml").write_text(yaml.safe_dump(FIXED))
    return [
        "tune", "--model=FPMC", "--dataset=toy", f"--data_path={toy}", "--trials=2", "--epochs=1",
        "--config_files=fixed.yaml",
    ]  # fmt: skip


@pytest.fixture
def make_tuning(toy):
    """Give a function that opens a study whose trials take no time."""

    def make(name="a", prune=False, epochs=3, data="sha256:0", **budget):
        request = TrialRequest("FPMC", "toy", str(toy), (), epochs, seed=1)
        space = {"x": Range(0.0, 1.0, False), "size": Choices((8, 16))}
        return Tuning(request, space, toy / f"{name}.db", Budget(prune=prune, **budget), data)

    return make


@pytest.fixture
def quick(monkeypatch):
    """Replace training by a formula; give the settings that were tried."""
    tried = []

    def score(request, values, on_epoch, clock, data):
        tried.append(dict(values))
        for epoch in range(request.epochs):
            on_epoch(epoch, values.get("x", 0.0))
        return values.get("x", 0.0)

    monkeypatch.setattr(study_module, "validation_score", score)
    return tried

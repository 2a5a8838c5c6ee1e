"""All models on all logs: what is planned, run, told, and run again."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks import tune_all

# Stands in for the tuning of a model: it tells what a search does.
PROGRAM = """
import sys, yaml
from pathlib import Path
given = dict(word[2:].split("=", 1) for word in sys.argv[1:])
if given["model"] == "GRU4Rec":
    sys.exit(3)
spent = 60 * float(given["minutes"])
told = {"metric": "NDCG@10", "default": 0.1, "best": 0.2, "trials": 4, "seconds_spent": spent}
file = Path(given["out"]) / given["dataset"] / (given["model"] + ".yaml")
file.write_text(yaml.safe_dump({"learning_rate": 0.1, "tuning": told}))
print("tuned")
"""


@pytest.fixture
def tune(toy, monkeypatch):
    """Give a function that runs the script on toy logs, with a program that takes no time."""
    command = tune_all.Job.command

    def stand_in(self, options):
        return [sys.executable, "-c", PROGRAM, *command(self, options)[4:]]

    monkeypatch.setattr(tune_all.Job, "command", stand_in)

    def run(*options):
        data = [f"toy={toy}", f"priced={toy}"]
        monkeypatch.setattr(sys, "argv", ["tune_all", "--datasets", *data, *options])
        return tune_all.main()

    return run


def test_every_model_that_has_settings_is_tuned_on_every_log(tune, toy, capsys):
    assert tune("--models=FPMC,SASRec,Popularity", "--minutes=0.5", "--out=found") == 0
    told = capsys.readouterr()
    for name in ("toy", "priced"):
        assert f"nothing to tune on {name}: Popularity" in told.out
        assert f"FPMC on {name}: NDCG@10 0.1000 -> 0.2000, 4 trials in 0.5 minutes" in told.out
        assert {file.name for file in (toy / "found" / name).iterdir()} == {
            "FPMC.yaml", "FPMC.log", "SASRec.yaml", "SASRec.log",
        }  # fmt: skip
    # Two may end at the same moment.
    assert re.match(r"[123] of 4 jobs done, about 0 minutes left\n", told.err)
    assert "tuned" in (toy / "found" / "toy" / "FPMC.log").read_text()


def test_a_failure_loses_nobody_else(tune, toy, capsys):
    assert tune("--models=GRU4Rec,FPMC", "--minutes=0.5") == 1
    assert "failed: GRU4Rec on toy: exit status 3, see tuned/toy/GRU4Rec.log" in (
        capsys.readouterr().err
    )
    assert yaml.safe_load((toy / "tuned/priced/FPMC.yaml").read_text())["learning_rate"] == 0.1


def test_without_names_it_is_every_model_of_the_benchmark(toy, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tune_all", "--datasets", f"toy={toy}"])
    jobs = tune_all.plan(tune_all.parse())
    models = {job.model for job in jobs}
    assert {"IMNNet", "IMNNetPlus", "JODIE", "SASRec", "FPMC", "SessionKNN"} <= models
    assert not {"Popularity", "LastItem", "RecentHistory"} & models


def test_the_command_is_one_that_tune_knows(toy, monkeypatch):
    from recbole_imn.__main__ import _parser

    monkeypatch.setattr(sys, "argv", ["tune_all", "--datasets", f"toy={toy}", "--minutes=3"])
    options = tune_all.parse()
    job = tune_all.plan(options)[0]
    given = _parser().parse_args(job.command(options)[3:])
    assert (given.dataset, given.minutes, given.model) == ("toy", 3.0, job.model)
    assert Path(given.data_path) == toy

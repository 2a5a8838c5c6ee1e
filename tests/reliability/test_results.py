"""Results of benchmarks and tunings: whole, or made again; no process outlives its command."""

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbole_imn.__main__ import main
from recbole_imn.evaluation.benchmark import process
from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.evaluation.benchmark.results import read_result, write_result
from recbole_imn.evaluation.benchmark.run import end_with_parent
from recbole_imn.locks import only_one
from tests.reliability.forks import forked, status_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


# -- benchmark --------------------------------------------------------------------------------

RUN = Run("FPMC", "toy", 1, {"data_path": "."}, ("all",), "", "sha256:0", {})


@pytest.fixture
def benchmark(tmp_path):
    """A folder with the result of a run."""
    result = {"identity": RUN.identity, "protocols": {"all": {"ndcg@10": 0.25}}, "epochs": 3}
    ranks = pd.DataFrame({"rank": np.arange(9.0)})
    (tmp_path / "runs").mkdir()
    write_result(result, ranks, RUN, tmp_path)
    return tmp_path


def test_a_whole_result_is_finished(benchmark):
    assert read_result(RUN, benchmark)["protocols"]["all"]["ndcg@10"] == 0.25
    assert read_result(Run(**{**vars(RUN), "fingerprint": "sha256:1"}), benchmark) is None
    assert {path.name for path in (benchmark / "runs").iterdir()} == {
        *("FPMC-1.json", "FPMC-1.parquet")
    }


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("FPMC-1.json", lambda data: b""),
        ("FPMC-1.json", lambda data: data[:40]),
        ("FPMC-1.json", lambda data: b"\xff\x00noise"),
        ("FPMC-1.json", lambda data: b"[1]"),
        ("FPMC-1.json", lambda data: b"[" * 100_000),
        ("FPMC-1.json", lambda data: b"{}"),
        ("FPMC-1.json", lambda data: data.replace(b"0.25", b"0.35")),
        ("FPMC-1.json", lambda data: data.replace(b'"epochs"', b'"epoch5"')),
        ("FPMC-1.parquet", lambda data: b""),
        ("FPMC-1.parquet", lambda data: data[:-5]),
        ("FPMC-1.parquet", lambda data: data[:9] + bytes([data[9] ^ 1]) + data[10:]),
    ],
)
def test_a_damaged_result_is_not_finished(benchmark, file, damage):
    path = benchmark / "runs" / file
    path.write_bytes(damage(path.read_bytes()))
    assert read_result(RUN, benchmark) is None


def test_results_of_earlier_versions_need_all_of_their_keys(benchmark):
    path = benchmark / "runs" / "FPMC-1.json"
    keys = "simulated environment config validation curve seconds events_per_second"
    old = json.loads(path.read_text())
    del old["sha256"]
    path.write_text(json.dumps(old))
    assert read_result(RUN, benchmark) is None
    more = dict.fromkeys(f"{keys} peak_memory_mib parameters checkpoint".split(), 0)
    path.write_text(json.dumps({**old, **more}))
    assert read_result(RUN, benchmark) is not None
    parquet = benchmark / "runs" / "FPMC-1.parquet"
    parquet.write_bytes(parquet.read_bytes()[:-5])
    assert read_result(RUN, benchmark) is None


def test_a_process_ends_when_its_pipe_closes():
    reader, writer = os.pipe()

    def wait():
        os.close(writer)
        end_with_parent(reader)
        time.sleep(60)

    child = forked(wait)
    os.close(reader)
    os.close(writer)
    assert status_of(child) == 1


def test_a_run_ends_with_a_benchmark_that_is_killed(tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nread plan\necho $$ > {tmp_path}/pid.part\n"
                       f"mv {tmp_path}/pid.part {tmp_path}/pid\ncat > /dev/null\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setattr(process.sys, "executable", str(program))
    child = forked(lambda: waiting(process.Process(RUN, tmp_path, 1)))
    until(lambda: (tmp_path / "pid").is_file())
    run = int((tmp_path / "pid").read_text())
    assert is_alive(run)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until(lambda: not is_alive(run))


def waiting(process):
    """Wait for a run."""
    until(lambda: process.reason() is not None)


def until(condition):
    """Wait for something that takes moments."""
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    # A process whose parent is gone may wait for somebody to ask how it ended.
    return not state.is_file() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_two_benchmarks_in_one_folder_are_a_line(toy, capsys):
    arguments = ["benchmark", "--dataset=toy", "--data_path=.", "--models=LastItem", "--seeds=1"]
    (toy / "results" / "toy").mkdir(parents=True)
    with only_one(toy / "results" / "toy", "a benchmark"):
        assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: results/toy is in use by a benchmark that runs already")


def test_an_emptied_file_of_tuned_settings_is_a_line(toy, capsys):
    (toy / "tuned" / "toy").mkdir(parents=True)
    (toy / "tuned" / "toy" / "FPMC.yaml").write_text("")
    arguments = ["benchmark", "--dataset=toy", "--data_path=.", "--models=FPMC", "--seeds=1"]
    assert main(arguments) == 2
    assert "FPMC.yaml holds no settings; tune again, or remove it" in capsys.readouterr().err


# -- tuning -----------------------------------------------------------------------------------


@pytest.fixture
def study(toy, monkeypatch):
    """A finished study of trials that take no time, and the command that made it."""
    pytest.importorskip("optuna")
    from recbole_imn.tuning import study as study_module

    scores = iter(np.linspace(0.1, 0.9, 100).tolist())
    monkeypatch.setattr(study_module, "validation_score", lambda *_: next(scores))
    (toy / "cpu.yaml").write_text("use_gpu: False\n")
    options = ["--data_path=.", "--trials=3", "--epochs=1", "--config_files=cpu.yaml"]
    arguments = ["tune", "--model=FPMC", "--dataset=toy", *options]
    assert main(arguments) == 0
    return toy / "tuned" / "toy", arguments


def test_a_damaged_study_is_a_line_and_an_emptied_one_begins_again(study, capsys):
    folder, arguments = study
    database = folder / "FPMC.db"
    whole = database.read_bytes()
    for damaged in (whole[:5000], os.urandom(len(whole)), whole[: len(whole) // 2]):
        database.write_bytes(damaged)
        capsys.readouterr()
        assert main(arguments) == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert line.startswith("error: tuned/toy/FPMC.db")
        assert "damaged" in line or "malformed" in line
    database.write_bytes(b"")
    assert main(arguments) == 0
    assert "# trials: 3," in (folder / "FPMC.yaml").read_text()


@pytest.mark.parametrize(
    "change",
    [
        "update trial_values set value = 0.5 where trial_id = 1",
        "update trial_params set param_value = 0.5 where trial_id = 2 and param_name like 'learn%'",
        "update studies set study_name = 'another'",
    ],
)
def test_a_trial_that_is_not_what_was_written_is_a_line(study, capsys, change):
    folder, arguments = study
    with closing(sqlite3.connect(folder / "FPMC.db")) as database, database:
        assert database.execute(change).rowcount == 1
    capsys.readouterr()
    assert main(arguments) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: tuned/toy/FPMC.db is damaged (")


def test_two_tunings_of_one_model_are_a_line(study, capsys):
    folder, arguments = study
    with only_one(folder / "FPMC.db", "a tuning"):
        assert main(arguments) == 2
    assert "FPMC.db is in use by a tuning" in capsys.readouterr().err


def test_a_full_disk_in_a_study_is_a_line_and_loses_no_trial(study, capsys, monkeypatch):
    folder, arguments = study
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def fill(connection, record):
        connection.execute("PRAGMA max_page_count = 1")  # it keeps what it has

    event.listen(Engine, "connect", fill)
    try:
        long = [argument.replace("--trials=3", "--trials=400") for argument in arguments]
        capsys.readouterr()
        assert main(long) == 2
    finally:
        event.remove(Engine, "connect", fill)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: tuned/toy/FPMC.db: database or disk is full")
    with closing(sqlite3.connect(folder / "FPMC.db")) as database:
        query = "select count(*) from trials where state = 'COMPLETE'"
        (finished,) = database.execute(query).fetchone()
    assert finished >= 3
    capsys.readouterr()
    assert main(arguments) == 0
    assert f"of {finished} trials" in capsys.readouterr().out

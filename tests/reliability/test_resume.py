"""A stopped training goes on to the figures of one without a break, bit for bit."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from recbole.trainer import Trainer

import recbole_imn
from recbole_imn import command_line
from recbole_imn.checkpoints import CheckpointError, load_checkpoint, sealed
from recbole_imn.checkpoints.sealed import STATE, read_sealed, write_sealed
from recbole_imn.evaluation.benchmark.plan import make_run
from recbole_imn.evaluation.benchmark.run import execute
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.model.settings import SettingsError
from recbole_imn.preparation import prepare
from recbole_imn.provenance import fingerprint
from recbole_imn.resume import IF_STOPPED, until_done
from recbole_imn.resume.run import Run
from recbole_imn.resume.state import load_random_state, random_state
from recbole_imn.trainer import IMNNetTrainer
from tests.conftest import random_rows, write_log

EPOCHS = 2
# Three windows of the 240 training events.
WINDOW = 80
# Every batch keeps its state.
OFTEN = 1e-9
SASREC = {"train_neg_sample_args": None, "n_layers": 1, "hidden_size": 8, "inner_size": 8}
SEQUENTIAL = {
    "SASRec": SASREC,
    "GRU4Rec": {"train_neg_sample_args": None, "num_layers": 1, "hidden_size": 8},
    "FPMC": {},
}


class Stop(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture
def start(make_config):
    """Give a function that makes a trainer and its loaders, each time from the seed."""

    def make(model: str, **options):
        options = {"epochs": EPOCHS, "train_batch_size": WINDOW, "resume_minutes": OFTEN, **options}
        _, loaders, trainer = prepare(make_config(model, **options))
        return trainer, loaders

    return make


def train(started):
    """Train and test; give everything that is to be equal."""
    trainer, (train_data, valid, test) = started
    recorder = RankRecorder(trainer)
    best = trainer.fit(train_data, valid, show_progress=False)
    weights = {name: weight.clone() for name, weight in trainer.model.state_dict().items()}
    tested = trainer.evaluate(test, show_progress=False)
    return {
        "best": (best[0], dict(best[1])),
        "tested": dict(tested),
        "ranks": recorder.table().to_dict(),
        "losses": trainer.train_loss_dict,
        "epoch": load_checkpoint(trainer.saved_model_file)["epoch"],
    }, weights


def assert_same(one, other):
    assert one[0] == other[0]
    for name, weight in one[1].items():
        assert torch.equal(weight, other[1][name]), name


def stop_at(patch, owner, name, count):
    """Let the process end at a call of a method, before anything is done."""
    method, calls = getattr(owner, name), []

    def counted(self, *args, **kwargs):
        calls.append(0)
        if len(calls) == count:
            raise Stop
        return method(self, *args, **kwargs)

    patch.setattr(owner, name, counted)


def stop_when_kept(patch):
    """Let the process end as soon as a state has been kept."""
    keep = Run._keep

    def stopping(self):
        before = self._kept
        keep(self)
        if self._kept != before:
            raise Stop

    patch.setattr(Run, "_keep", stopping)


def stopped(started, monkeypatch, owner, name, count=1):
    """Train until something is called for the nth time."""
    with monkeypatch.context() as patch:
        stop_at(patch, owner, name, count)
        with pytest.raises(Stop):
            train(started)


def states():
    return sorted(file.name for file in Path("saved").glob("*.state"))


@pytest.mark.parametrize("model", ["IMNNet", "IMNNetPlus"])
def test_a_run_that_stops_at_every_window_is_as_one_without_a_break(model, start, monkeypatch):
    expected = train(start(model))
    stops, resumed = 0, None
    while resumed is None:
        with monkeypatch.context() as patch:
            stop_when_kept(patch)
            try:
                resumed = train(start(model, resume=stops > 0))
            except Stop:
                stops += 1
    # The beginning of each epoch, its windows, and the end.
    assert stops == EPOCHS * (1 + 3) + 1
    assert_same(resumed, expected)
    assert states() == []


ONLINE = {"online_updates": True}
BOTH = {"mse_weight": 1.0, "nce_weight": 1.0, "search_ranking_weights": True}
SAMPLED = {"eval_args": {"mode": {"valid": "uni5", "test": "full"}}}


@pytest.mark.parametrize(
    ("model", "options", "minutes"),
    [
        *((model, options, 0) for model, options in SEQUENTIAL.items()),
        ("SASRec", SASREC, OFTEN),
        ("JODIE", ONLINE, OFTEN),
        ("IMNNet", BOTH, 0),
        ("IMNNetStar", {}, OFTEN),
        ("IMNNetPlus", SAMPLED, 0),
        ("IMNNetPlus", {}, OFTEN),
    ],
)
def test_work_since_the_last_state_is_done_again(model, options, minutes, start, monkeypatch):
    options = {**options, "resume_minutes": minutes}
    expected = train(start(model, **options))
    network = type(start(model)[0].model)
    stopped(start(model, **options), monkeypatch, network, "calculate_loss", count=5)
    assert_same(train(start(model, **options, resume=True)), expected)


@pytest.mark.parametrize("minutes", [0, OFTEN])
def test_a_stop_in_validation_or_in_the_test(minutes, start, monkeypatch):
    expected = train(start("IMNNet"))
    options = {"resume_minutes": minutes}
    evaluating = (IMNNetTrainer, "_full_sort_batch_eval")
    stopped(start("IMNNet", **options), monkeypatch, *evaluating)
    options["resume"] = True
    stopped(start("IMNNet", **options), monkeypatch, IMNNetTrainer, "_save_checkpoint")
    stopped(start("IMNNet", **options), monkeypatch, Run, "trained")
    stopped(start("IMNNet", **options), monkeypatch, IMNNetTrainer, "_add_hparam_to_tensorboard")
    # The test is over, but nobody has been told.
    stopped(start("IMNNet", **options), monkeypatch, Run, "finish")
    assert_same(train(start("IMNNet", **options)), expected)
    assert states() == []


def test_early_stopping_counts_on(start, monkeypatch):
    options = {"epochs": 9, "stopping_step": 1, "learning_rate": 1.0}
    expected = train(start("FPMC", **options))
    n_epochs = len(expected[0]["losses"])
    assert 2 < n_epochs < 9
    stopped(start("FPMC", **options), monkeypatch, Trainer, "_train_epoch", count=n_epochs)
    assert_same(train(start("FPMC", **options, resume=True)), expected)


def test_a_run_may_get_more_epochs_and_nothing_else(start, monkeypatch):
    expected = train(start("FPMC", epochs=4))
    stopped(start("FPMC", epochs=2), monkeypatch, Trainer, "_valid_epoch", 2)
    with pytest.raises(SettingsError, match=r"^epochs is 1, but the stopped run was to have 2; .*"):
        train(start("FPMC", epochs=1, resume=True))
    with pytest.raises(SettingsError, match=r"learning_rate is 0\.5, was 0\.001$"):
        train(start("FPMC", epochs=2, resume=True, learning_rate=0.5))
    assert_same(train(start("FPMC", epochs=4, resume=True)), expected)


def test_what_is_another_run_is_told_apart(start, toy, monkeypatch):
    with pytest.raises(SettingsError, match=r"^nothing to resume: saved has no state of a run of "):
        train(start("FPMC", resume=True))
    stopped(start("FPMC"), monkeypatch, Trainer, "_train_epoch", 2)
    with monkeypatch.context() as patch:
        patch.setattr("recbole_imn.resume.identity._code", lambda model: "other")
        with pytest.raises(
            SettingsError, match=r"code of recbole_imn or of the model has changed$"
        ):
            train(start("FPMC", resume=True))
    trainer, loaders = start("FPMC", resume=True)
    with torch.no_grad():
        next(trainer.model.parameters())[0] += 1
    with pytest.raises(SettingsError, match=r"begins with other weights$"):
        trainer.fit(*loaders[:2])
    write_log(toy, "toy", random_rows(seed=5))
    with pytest.raises(SettingsError, match=r"the data has changed"):
        train(start("FPMC", resume=True))


def test_a_finished_run_says_so(start):
    train(start("FPMC"))
    assert states() == []
    with pytest.raises(SettingsError, match=r"is finished; its best epoch is in saved.FPMC-.*pth$"):
        train(start("FPMC", resume=True))


def test_two_runs_of_the_same_settings_do_not_meet(start, monkeypatch, caplog):
    first, loaders = start("FPMC")
    second = {}
    wait = Trainer._valid_epoch

    def meanwhile(self, *args, **kwargs):
        if self is first and not second:
            before = random_state()
            with pytest.raises(SettingsError, match=r"is still going on$"):
                train(start("FPMC", resume=True))
            second["result"] = None
            kept = states()
            second["result"] = train(start("FPMC"))
            assert len(kept) == 1
            assert states() == kept
            load_random_state(before)
        return wait(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "_valid_epoch", meanwhile)
    expected = train((first, loaders))
    assert_same(second["result"], expected)
    assert "a run with the same settings is going on" in caplog.text
    assert states() == []


def test_a_new_run_leaves_a_state_that_is_further_on(start, monkeypatch, caplog):
    step = (Trainer, "_valid_epoch")
    stopped(start("FPMC"), monkeypatch, *step, count=2)
    (state,) = Path("saved").glob("*.state")
    before = state.read_bytes()
    stopped(start("FPMC"), monkeypatch, *step)
    assert state.read_bytes() == before
    assert "was stopped in epoch 1 after batch" in caplog.text
    train(start("FPMC"))
    assert states() == []


def test_a_damaged_state_or_a_lost_best_epoch_is_one_line(start, monkeypatch):
    stopped(start("FPMC"), monkeypatch, Run, "trained")
    (state,) = Path("saved").glob("*.state")
    whole = state.read_bytes()
    state.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(CheckpointError, match=r"\.state is damaged"):
        train(start("FPMC", resume=True))
    state.write_bytes(whole)
    with pytest.raises(CheckpointError, match=r"is a state of a run, no checkpoint$"):
        load_checkpoint(state)
    for file in Path("saved").glob("*.pth"):
        file.unlink()
    with pytest.raises(CheckpointError, match=r"\.pth, the best epoch of the stopped run, is gone"):
        train(start("FPMC", resume=True))
    train(start("FPMC", resume=IF_STOPPED))
    assert states() == []


def test_a_state_of_other_epochs_is_no_trap_and_no_prey(start, monkeypatch, caplog):
    stopped(start("FPMC", epochs=3), monkeypatch, Trainer, "_valid_epoch", 2)
    (state,) = Path("saved").glob("*.state")
    before = state.read_bytes()
    train(start("FPMC", epochs=1))
    assert state.read_bytes() == before
    assert "and 3 epochs was stopped in epoch 1 after batch" in caplog.text
    stopped(start("FPMC", epochs=3, resume=True), monkeypatch, Run, "finish")
    with pytest.raises(SettingsError, match="has finished its 3 epochs and is yet to be tested"):
        train(start("FPMC", epochs=4, resume=True))
    stopped(start("FPMC", epochs=4), monkeypatch, Trainer, "_valid_epoch", 2)
    train(start("FPMC", epochs=4, resume=True))
    assert states() == []


def test_a_state_of_anybody_is_one_line(start, monkeypatch):
    stopped(start("FPMC"), monkeypatch, Run, "trained")
    (file,) = Path("saved").glob("*.state")
    state = read_sealed(file, STATE)
    for changes in (
        {"scores": 3},
        {"random": None},
        {"random": {}},
        {"notes": None},
        {"position": "x"},
        {"model": {"state_dict": {}, "optimizer": 3, "session": None}},
        {"identity": {"settings": 1}},
    ):
        write_sealed(file, {**state, **changes}, STATE)
        with pytest.raises(CheckpointError) as error:
            train(start("FPMC", resume=True))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("values", [{}, {"identity": None}, {"identity": {"settings": 1}}])
def test_a_foreign_state_of_the_same_name_is_one_line(values, start):
    write_sealed(Path("saved") / f"FPMC-toy-{'0' * 16}.state", values, STATE)
    with pytest.raises(SettingsError, match=r"^nothing to resume: .* cannot be read; leave resume"):
        train(start("FPMC", resume=True))


@pytest.mark.parametrize(
    "changes", [{"position": (1, 2, 3)}, {"scores": []}, {"epochs": "x"}, {"checkpoint": None}]
)
def test_a_new_run_replaces_a_state_that_leads_nowhere(changes, start, monkeypatch):
    stopped(start("FPMC"), monkeypatch, Run, "trained")
    (file,) = Path("saved").glob("*.state")
    write_sealed(file, {**read_sealed(file, STATE), **changes}, STATE)
    train(start("FPMC"))
    assert states() == []


def test_a_best_epoch_that_is_damaged_or_of_another_run_is_one_line(start, monkeypatch):
    trainer, _ = other = start("FPMC", seed=7)
    train(other)
    foreign = Path(trainer.saved_model_file).read_bytes()
    stopped(start("FPMC"), monkeypatch, Trainer, "_valid_epoch", 2)
    (state,) = Path("saved").glob("*.state")
    best = Path("saved") / read_sealed(state, STATE)["checkpoint"]
    whole = best.read_bytes()
    for content, told in (
        (whole[:500] + bytes([whole[500] ^ 1]) + whole[501:], "is damaged"),
        (foreign, "another run has written it"),
    ):
        best.write_bytes(content)
        with pytest.raises(CheckpointError, match=told):
            train(start("FPMC", resume=True))
    best.write_bytes(whole)
    assert_same(train(start("FPMC", resume=True)), train(start("FPMC")))


def test_a_full_disk_costs_no_training(start, monkeypatch, caplog):
    expected = train(start("FPMC"))
    write = sealed.replaced

    def full(path):
        if path.suffix == ".state":
            raise OSError(28, "No space left on device")
        return write(path)

    monkeypatch.setattr(sealed, "replaced", full)
    assert_same(train(start("FPMC")), expected)
    assert "could not be written to" in caplog.text


def test_a_state_lasts_until_all_is_done(start):
    with until_done():
        train(start("FPMC"))
        assert len(states()) == 1
    assert states() == []


def test_curves_go_on_in_their_folder(start, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    stopped(start("FPMC"), monkeypatch, Trainer, "_save_checkpoint", 2)
    (folder,) = Path("log_tensorboard").iterdir()
    train(start("FPMC", resume=True))
    assert list(Path("log_tensorboard").iterdir()) == [folder]
    curves = EventAccumulator(str(folder))
    curves.Reload()
    assert [point.step for point in curves.Scalars("Loss/Train")] == [0, 1]
    assert [point.step for point in curves.Scalars("Valid/ndcg@5")] == [0, 1]


@pytest.mark.parametrize("fused", [False, True])
def test_scores_are_never_those_of_earlier_weights(fused, start):
    """A step between two predictions counts, though fused optimisers hide it from autograd."""
    trainer, (_, _, test) = start("IMNNet")
    model, rows = trainer.model, test.dataset[:4]
    before = model.full_sort_predict(rows)
    dense = [model.network.states.transition]
    optimizer = torch.optim.Adam(dense, lr=0.1, fused=fused)
    dense[0].grad = torch.ones_like(dense[0])
    optimizer.step()
    # What our trainer's optimiser says of itself.
    model.session.weights_changed()
    after = model.full_sort_predict(rows)
    assert not torch.equal(before, after)
    model.session.weights_changed()
    assert torch.equal(after, model.full_sort_predict(rows))


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("FPMC", {"resume": True, "event_stream": False}, "resume is True, but only runs"),
        ("FPMC", {"resume": "yes"}, "resume is 'yes'; it must be True or False"),
        ("FPMC", {"resume_minutes": -1}, "resume_minutes is -1; it must be 0 or above"),
        ("FPMC", {"resume_minutes": "often"}, "resume_minutes is 'often'"),
    ],
)
def test_settings_without_sense_are_refused(model, options, message, start):
    options = {"load_col": {"inter": ["user_id", "item_id", "timestamp"]}, **options}
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}"):
        train(start(model, **options))


ARGUMENTS = [
    "--model=IMNNet",
    "--dataset=toy",
    "--data_path=.",
    "--epochs=4",
    "--embedding_size=8",
    "--train_batch_size=40",
    "--topk=[5]",
    "--valid_metric=NDCG@5",
    "--show_progress=False",
    f"--resume_minutes={OFTEN}",
]
PROGRAM = Path(recbole_imn.__file__).parents[1] / "run_recbole_imn.py"


def wait_for_work():
    """Wait until another process has kept some states more."""
    seen = {file.stat().st_mtime_ns for file in Path("saved").glob("*.state")}
    enough = len(seen) + 5
    while len(seen) < enough:
        for file in Path("saved").glob("*.state"):
            with suppress(FileNotFoundError):
                seen.add(file.stat().st_mtime_ns)
        time.sleep(0.002)


def figures(text):
    """Give the figures of the test, and no names of files."""
    return [line for line in text.splitlines() if re.match(r"\w+@5 ", line)]


def test_a_killed_process_and_an_interrupted_one_go_on(toy, capsys):
    assert command_line.main(ARGUMENTS) == 0
    expected = figures(capsys.readouterr().out)
    arguments = ARGUMENTS
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for number in (signal.SIGKILL, signal.SIGINT):
        command = [sys.executable, str(PROGRAM), *arguments]
        process = subprocess.Popen(command, env=environment, cwd=toy, stderr=subprocess.PIPE)
        wait_for_work()
        process.send_signal(number)
        _, said = process.communicate()
        assert process.returncode == (130 if number == signal.SIGINT else -number)
        arguments = [*ARGUMENTS, "--resume"]
    begin, _, command = said.decode().splitlines()[-1].partition(": ")
    python, *words = shlex.split(command)
    assert begin == "interrupted; go on with"
    assert words == [str(PROGRAM), *ARGUMENTS, "--resume"]
    # Pasted, it starts the same Python.
    prefix = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True)
    assert prefix.stdout.decode().strip() == sys.prefix
    assert command_line.main(arguments) == 0
    assert figures(capsys.readouterr().out) == expected


def test_a_benchmark_goes_on_inside_a_run(toy, monkeypatch):
    small = {"use_gpu": False, "embedding_size": 8, "train_batch_size": WINDOW}
    data = fingerprint(toy / "toy", "toy")
    run = make_run("IMNNet", 1, "toy", toy / "toy", data, EPOCHS, "all", small)
    results = []
    for name, stop in (("whole", None), ("stopped", (IMNNetTrainer, "_valid_epoch", 2))):
        folder = toy / name
        if stop:
            with monkeypatch.context() as patch:
                stop_at(patch, *stop)
                with pytest.raises(Stop):
                    execute(run, folder)
            assert not list(folder.glob("runs/*.json"))
            assert list(folder.glob("saved/IMNNet-1/*.state"))
        execute(run, folder)
        assert not list(folder.glob("saved/IMNNet-1/*.state"))
        results.append(json.loads((folder / "runs" / "IMNNet-1.json").read_text()))
    whole, stopped = results
    for key in ("protocols", "validation", "epochs", "curve"):
        assert stopped[key] == whole[key]

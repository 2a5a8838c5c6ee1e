"""Commands that can be pasted."""

import os
import shlex
import sys
from types import SimpleNamespace

import pytest

from recbole_imn.options import check
from recbole_imn.screen import next_steps as next_steps_of
from recbole_imn.screen.next_steps import next_steps, other_words, python, run_words

OPTIONS = {
    "model": "SASRec",
    "dataset": "toy",
    "epochs": "2",
    "n_layers": "1",
    "learning_rate": "0.1",
    "topk": "[5, 10]",
}


def words_of(command):
    """Give the words of a command as a shell reads them."""
    return shlex.split(command.replace("\\\n", ""))


def steps(options, model=None, snapshot=True, n_items=20):
    trainer = SimpleNamespace(
        config={"snapshot": snapshot},
        model=model,
        saved_model_file="saved/my model.pth",
    )
    dataset = SimpleNamespace(
        uid_field="user_id",
        id2token=lambda field, number: "O'Neil",
        log=SimpleNamespace(user=[3]),
        item_num=1 + n_items,
    )
    return next_steps("run.py", options, trainer, SimpleNamespace(_dataset=dataset))


def test_the_model_to_use_gets_the_options_that_it_knows(toy):
    (command, _), (benchmark, _) = steps(OPTIONS)
    words = words_of(command)
    assert words[1:] == [
        "run.py", "--model=IMNNetPlus", "--dataset=toy", "--epochs=2", "--topk=[5, 10]",
    ]  # fmt: skip
    assert check(words[2:])["model"] == "IMNNetPlus"
    assert "--models=SASRec,IMNNetPlus,RecentHistory,LastItem,SessionKNN" in words_of(benchmark)


def test_a_model_that_can_be_used_is(toy):
    model = SimpleNamespace(session=None, learns_online=False)
    (recommend, _), _ = steps({**OPTIONS, "model": "IMNNetPlus"}, model)
    words = words_of(recommend)
    assert words[1:] == ["-m", "recbole_imn", "recommend", "saved/my model.pth", "--user=O'Neil"]
    assert len(steps({**OPTIONS, "model": "IMNNetPlus"}, model, snapshot=False)) == 1


def test_the_benchmark_compares_what_the_run_has_shown(toy):
    """The same users; and nothing where it has no option for how rows were chosen."""
    *_, (benchmark, _) = steps({**OPTIONS, "user_share": "0.05"})
    assert "--users=0.05" in words_of(benchmark)
    for key in ("eval_args", "split_by", "val_interval", "TIME_FIELD", "load_col", "encoding"):
        assert all("benchmark" not in text for text, _ in steps({**OPTIONS, key: "times"}))


def test_no_benchmark_is_named_that_would_ask_for_more_items_than_there_are(toy):
    assert len(steps(OPTIONS, n_items=19)) == len(steps(OPTIONS)) - 1
    without = {name: OPTIONS[name] for name in OPTIONS if name != "topk"}
    assert len(steps(without, n_items=19)) == len(steps(without))


def test_the_same_rows_are_read_and_ranked(toy):
    given = {
        "user_inter_num_interval": "[5,inf)",
        "val_interval": "{'timestamp':'[0,9]'}",
        "rm_dup_inter": "first",
        "first_events": "True",
        "TIME_FIELD": "time",
        "encoding": "latin-1",
        "eval_rows": "9",
        "alias_of_item_id": "[other]",
    }
    words = words_of(steps({**OPTIONS, **given})[0][0])
    assert {f"--{key}={value}" for key, value in given.items()} <= set(words)
    assert not any(word.startswith(("--n_layers", "--learning_rate")) for word in words)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("run.py", ["run.py"]),
        ("/x/recbole_imn/__main__.py", ["-m", "recbole_imn", "run"]),
        ("/x/bin/recbole-imn", ["-m", "recbole_imn", "run"]),
    ],
)
def test_several_processes_are_started_as_they_were(tmp_path, monkeypatch, program, words):
    monkeypatch.setattr(next_steps_of, "group", lambda: SimpleNamespace(is_several=True))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("PATH", str(tmp_path))
    module = [python(), "-m", "torch.distributed.run", "--nproc_per_node=2"]
    assert run_words(program) == [*module, *words]
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "torchrun").write_text("")
    (tmp_path / "torchrun").chmod(0o755)
    assert run_words(program) == ["torchrun", "--nproc_per_node=2", *words]


def test_long_commands_are_written_on_lines_that_a_shell_joins(toy):
    folder = "data/" + "x" * 80
    (command, _), (benchmark, _) = steps({**OPTIONS, "data_path": folder})
    for text in (command, benchmark):
        assert " \\\n" in text
        assert f"--data_path={folder}" in words_of(text)


@pytest.mark.parametrize(
    ("program", "run", "other"),
    [
        ("run_recbole_imn.py", ["run_recbole_imn.py"], ["-m", "recbole_imn"]),
        ("/x/recbole_imn/__main__.py", ["-m", "recbole_imn", "run"], ["-m", "recbole_imn"]),
    ],
)
def test_commands_are_called_as_the_run_was(program, run, other):
    assert run_words(program) == [python(), *run]
    assert other_words(program) == [python(), *other]


def test_the_installed_command_goes_by_its_name_where_it_is_found(tmp_path, monkeypatch):
    program = tmp_path / "recbole-imn"
    program.write_text("")
    program.chmod(0o755)
    assert run_words(str(program)) == [str(program), "run"]
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert run_words(str(program)) == ["recbole-imn", "run"]
    assert other_words(str(program)) == ["recbole-imn"]


def test_a_python_of_the_working_folder_is_named_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert python() == ".venv/bin/python"

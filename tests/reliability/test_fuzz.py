"""The fuzzer notices planted faults and finds none elsewhere; what it found stays mended."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from recbole_imn.__main__ import main
from recbole_imn.data.atomic import read_columns, read_header
from recbole_imn.errors import DataError
from tests.conftest import random_rows, write_log

ROOT = Path(__file__).parents[2]
KINDS = ["inter", "convert", "settings", "arguments"]
EXPECTED = {
    "good log": ("fine", ""),
    "good table": ("fine", ""),
    "drop a row": ("silently wrong", "events of"),
    "shift a time": ("silently wrong", "time of event"),
    "swap items": ("silently wrong", "item of event"),
    "invert purchases": ("silently wrong", "purchase of event"),
    "scale a feature": ("silently wrong", "image of the numbers in weight"),
    "swallow an error": ("silently wrong", "accepted, though fz.inter, line"),
    "name another line": ("unclear line", "names none of"),
    "raise by accident": ("traceback", "KeyError"),
    "raise a raw text": ("unclear line", "a raw exception"),
    "refuse everything": ("silently wrong", "good input was refused"),
    "never end": ("hang", "no end"),
    "execute": ("silently wrong", "executed"),
    "leave the folder": ("silently wrong", "elsewhere"),
    "ignore a setting": ("silently wrong", "temperature is 7.5"),
    "lose a converted row": ("silently wrong", "events of"),
    "shift converted times": ("silently wrong", "time of event 0"),
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own: it forks, and this process may have threads."""
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list[str]]:
    done = run("tests/reliability/planted.py")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", EXPECTED)
def test_planted_faults_are_noticed(verdicts, name):
    outcome, reason = verdicts[name]
    assert outcome == EXPECTED[name][0], reason
    assert EXPECTED[name][1] in reason


def test_all_kinds_end_well_and_the_same_seed_gives_the_same_runs():
    done = run("benchmarks/fuzz.py", "--runs=20", "--seed=7")
    assert done.returncode == 0, done.stdout + done.stderr
    table = [line.split() for line in done.stdout.splitlines() if line]
    assert [row[0] for row in table if row[0] in KINDS] == KINDS
    assert next(row for row in table if row[0] == "all")[-4:] == ["0", "0", "0", "0"]


# -- what it found ------------------------------------------------------------------------


@pytest.mark.parametrize("what", [b"\xff", b"\0", b"\r"])
@pytest.mark.parametrize("line", [1, 2, 7, 301])
def test_bytes_that_no_row_may_have_are_refused_with_their_line(toy, what, line):
    path = toy / "toy" / "toy.inter"
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = lines[line - 1][:1] + what + lines[line - 1][1:]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match=rf"toy\.inter, line {line}: "):
        read_columns(path, read_header(path), ["user_id", "item_id"])


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_line_ends_of_all_systems(toy, end):
    path = toy / "toy" / "toy.inter"
    path.write_bytes(path.read_bytes().replace(b"\n", end))
    if end == b"\r":
        with pytest.raises(DataError, match=r"line 1: .* end all lines with a line feed"):
            read_header(path)
        return
    assert list(read_header(path))[-1] == "purchase"
    users = read_columns(path, read_header(path), ["user_id"])["user_id"]
    assert list(users) == [row[0] for row in random_rows()]


@pytest.mark.parametrize("suffix", ["inter", "item"])
def test_a_row_with_nothing_in_the_loaded_columns_is_no_blank_line(prepare, toy, capsys, suffix):
    path = toy / "priced" / f"priced.{suffix}"
    lines = path.read_text(encoding="utf-8").splitlines()
    n_loaded = {"inter": 3, "item": 1}[suffix]
    lines[5] = "\t".join(["", *[""] * (n_loaded - 1), *lines[5].split("\t")[n_loaded:]])
    lines[9:9] = ["", "\t" * lines[0].count("\t")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id"]}
    with pytest.raises(DataError, match=rf"priced\.{suffix}, line 6: "):
        prepare("LastItem", dataset="priced", load_col=columns)
    assert main(["describe", "priced", "--data_path=."]) == 2
    assert f"priced.{suffix}, line 6: " in capsys.readouterr().err


def test_a_column_named_twice_is_refused(toy):
    path = toy / "toy" / "toy.inter"
    path.write_bytes(path.read_bytes().replace(b"behavior:token", b"user_id:token", 1))
    with pytest.raises(DataError, match="line 1: two columns are called 'user_id'"):
        read_header(path)


@pytest.mark.parametrize(
    ("stays", "rule"),
    [("5 9\t7", "needs both"), ("5\t1", "before it begins"), ("nan\t1", "listed_at is nan")],
)
def test_stays_that_cannot_be_are_refused_with_their_line(prepare, toy, stays, rule):
    items = ["item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq", "i1\t0\tinf"]
    text = "\n".join([*items, f"i2\t{stays}"]) + "\n"
    (toy / "toy" / "toy.item").write_text(text, encoding="utf-8")
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id"]}
    with pytest.raises(DataError, match=rf"toy\.item, line 3: .*{rule}"):
        prepare("LastItem", load_col=columns, candidates="on_shelf")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("doctor --foo", "--foo"),
        ("trian", "'trian'"),
        ("simulate czb-maxi", "'czb-maxi'"),
        ("simulate czb --seed=x", "--seed"),
        (
            "tune --model=IMNNet --dataset=toy --trials=x",
            "--trials: 'x' is no whole number above 0",
        ),
        ("benchmark --dataset=toy --epochs=0", "--epochs: '0' is no whole number above 0"),
    ],
)
def test_options_that_argparse_refuses_are_refused_in_one_line(capsys, arguments, named):
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    (line,) = capsys.readouterr().err.splitlines()
    assert stop.value.code == 2
    assert line.startswith("error: ")
    assert named in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("benchmark --dataset=toy --data_path=. --models=,", "--models names no model"),
        (
            "benchmark --dataset=toy --data_path=. --models=LastItem --candidates=on_shelf",
            "no columns listed_at:float_seq",
        ),
        ("simulate czb-mini --scale=1e-9", "scale is 1e-09, which leaves too little"),
        ("run --model=Pop --dataset=toy --embedding_size=8", "Pop learns from no sequences"),
    ],
)
def test_what_no_run_can_do_is_refused_before_any_begins(toy, capsys, arguments, named):
    assert main(arguments.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert named in line
    assert not (toy / "results").exists()


def test_windows_of_one_event_have_no_candidates(prepare):
    _, _, (training, _, _), model = prepare("IMNNetPlus", train_batch_size=1)
    first = [model.calculate_loss(window) for window in islice(training, 5)]
    assert all(loss.isfinite() for loss in first)


@pytest.mark.parametrize("key", ["alias_of_item_id", "alias_of_user_id"])
@pytest.mark.parametrize("field", ["nothing", "timestamp"])
def test_aliases_that_are_no_ids_are_refused(prepare, key, field):
    with pytest.raises(ValueError, match=f"{key} names '{field}'"):
        prepare("SASRec", **{key: [field]})


def test_fearec_needs_two_layers(prepare):
    with pytest.raises(ValueError, match="n_layers is 1; FEARec needs 2 or more"):
        prepare("FEARec", n_layers=1)


@pytest.mark.parametrize("loss", ["CE", "BPR"])
def test_masked_items_of_users_who_know_every_item(toy, prepare, loss):
    rows = [("u", f"i{k % 3}", k, "view", 0) for k in range(60)]
    write_log(toy, "toy", rows)
    options = {"loss_type": loss, "topk": [3], "valid_metric": "NDCG@3", "hidden_size": 8}
    negatives = None if loss == "CE" else {"distribution": "uniform", "sample_num": 1}
    _, _, (training, _, _), model = prepare("BERT4Rec", **options, train_neg_sample_args=negatives)
    if loss == "BPR":
        with pytest.raises(DataError, match="a user's history has all 3 items"):
            next(iter(training))
    else:
        assert model.calculate_loss(next(iter(training))).isfinite()


def test_an_interval_that_is_none_is_named_with_its_setting(prepare):
    with pytest.raises(ValueError, match=r"val_interval.*'7'"):
        prepare("IMNNet", val_interval={"timestamp": 7})

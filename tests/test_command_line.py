"""The entry point refuses what RecBole would silently ignore."""

from pathlib import Path

import pytest

from recbole_imn import command_line
from recbole_imn.command_line import help_text, main
from recbole_imn.errors import SettingsError, UsageError
from recbole_imn.options import check
from recbole_imn.settings_files import read_settings
from tests.conftest import write_log

GOOD = ["--model=IMNNet", "--dataset=toy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [*GOOD, "--learning_rat=0.1"],
            "unknown key --learning_rat; did you mean --learning_rate?",
        ),
        ([*GOOD, "--nce_wait=1"], "unknown key --nce_wait; did you mean --nce_weight?"),
        ([*GOOD, "--epochs", "5"], "'--epochs' is not --key=value"),
        ([*GOOD, "epochs=5"], "'epochs=5' is not --key=value"),
        ([*GOOD, "--epochs=5", "--epochs=6"], "--epochs is given twice: '5' and '6'"),
        ([*GOOD, "--eval_args=a=b"], "has two '='"),
        (["--dataset=toy"], "--model=NAME is missing"),
        (["--model=IMNNet"], "--dataset=NAME is missing"),
        ([*GOOD, "--config_files=gone.yaml"], "names gone.yaml, which does not exist"),
        ([*GOOD, f"--config_files={Path(__file__).parent}"], "tests, which is a folder"),
        ([*GOOD, "--pointr=2"], "unknown key --pointr"),
    ],
)
def test_bad_options_are_refused_in_one_line(arguments, message, capsys):
    with pytest.raises(UsageError) as error:
        check(arguments)
    assert message in str(error.value)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: {error.value}\n"
    assert captured.out == ""


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--epochs=many", "epochs is 'many'; it must be a whole number"),
        ("--seed=True", "seed is True; it must be a whole number"),
        ("--learning_rate=low", "learning_rate is 'low'; it must be a number"),
        ("--online_updates=2", "online_updates is 2; it must be True or False"),
        ("--train_batch_size=0", "train_batch_size is 0; it must be above 0"),
    ],
)
def test_values_of_another_type_are_refused_in_one_line(option, message, capsys):
    assert main([*GOOD, option]) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_keys_of_settings_files_are_checked(tmp_path, monkeypatch):
    file = tmp_path / "mine.yaml"
    # Of another model: one file may serve several.
    file.write_text("epochs: 1\nattn_dropout_prob: 0.1\n")
    assert check([*GOOD, f"--config_files={file}"])["model"] == "IMNNet"
    file.write_text("lerning_rate: 3\n")
    with pytest.raises(SettingsError, match=r"mine\.yaml has the unknown key 'lerning_rate'; did"):
        check([*GOOD, f"--config_files={file}"])
    with pytest.raises(UsageError, match="unknown key --lerning_rate"):
        check([*GOOD, "--lerning_rate=3"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset_configs").mkdir()
    (tmp_path / "dataset_configs" / "toy.yaml").write_text("item_feature: [price]\n")
    with pytest.raises(SettingsError, match=r"toy\.yaml has the unknown key 'item_feature'"):
        check(GOOD)


@pytest.mark.parametrize(("model", "hint"), [("BPR", "rows"), ("Pop", "Popularity is the same")])
def test_models_that_see_no_sequences_are_refused(toy, capsys, model, hint):
    assert main([f"--model={model}", "--dataset=toy", f"--data_path={toy}"]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith(f"error: {model} learns from no sequences")
    assert hint in error


def test_every_settings_file_of_the_package_has_known_keys_only():
    for file in Path(__file__).parents[1].glob("dataset_configs/*.yaml"):
        read_settings(file)


def test_a_broken_settings_file_is_refused(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("a: [1,\n")
    with pytest.raises(SettingsError, match=r"broken\.yaml is not valid yaml"):
        check([*GOOD, f"--config_files={file}"])


def test_help_lists_models_data_sets_and_keys(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert text.strip() == help_text().strip()
    for word in ("IMNNet", "SASRec", "czb-mini", "--epochs", "nce_weight"):
        assert word in text


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_a_log_without_yaml_runs_from_options_alone(toy, model, capsys):
    arguments = [
        f"--model={model}", "--dataset=toy", f"--data_path={toy}", "--epochs=1", "--topk=[5]",
        "--valid_metric=NDCG@5", "--show_progress=False", "--use_gpu=False",
    ]  # fmt: skip
    assert main(arguments) == 0
    assert f": {model} on toy, seed 2020, cpu" in capsys.readouterr().out
    assert main([*arguments, "--screen=log"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == [model, "on", "toy"]
    assert [line.split()[0] for line in lines[2:5]] == ["recall@5", "ndcg@5", "mrr@5"]
    assert [line.partition(":")[0] for line in lines[5:]] == ["checkpoint", "model card"]


def test_an_unknown_model_is_refused_with_the_nearest_name(toy, capsys):
    assert main(["--model=IMNet", "--dataset=toy", f"--data_path={toy}"]) == 2
    assert "IMNNet" in capsys.readouterr().err


def test_a_bad_log_is_one_line(toy, capsys):
    write_log(toy, "bad", [("u", "i", "noon", "view", 0)])
    assert main(["--model=IMNNet", "--dataset=bad", f"--data_path={toy}"]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert error.endswith("bad.inter, line 2: timestamp is 'noon', not a number")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--resource_branch=half", "resource_branch names 'half'"),
        (
            "--topk=[50]",
            "data set 'toy' has 20 items, but topk asks for 50; set for example topk: [20] and "
            "valid_metric: NDCG@20, as options, or for all commands in dataset_configs/toy.yaml",
        ),
        ("--item_features=brand", "item_features names 'brand'"),
        ("--valid_metric=NDCG@5", "valid_metric is NDCG@5, which is not computed"),
        ("--metrics=['Foo']", "There is no metric named 'Foo'"),
        ("--clip_grad_norm={'max_norm':5}", "clip_grad_norm is {'max_norm': 5}, but IMNNet has"),
    ],
)
def test_a_bad_option_value_is_one_line(toy, capsys, option, message):
    assert main(["--model=IMNNet", "--dataset=toy", f"--data_path={toy}", option]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert message in line


def test_numbers_are_read_as_recbole_reads_them():
    options = ["--learning_rate=1e-3", "--weight_decay=0", "--shuffle=false", "--epochs=3"]
    assert check([*GOOD, *options])["learning_rate"] == "1e-3"


def test_a_diverging_run_is_one_line(toy, capsys, monkeypatch):
    from recbole_imn.model.imnnet import IMNNet

    loss = IMNNet.calculate_loss
    monkeypatch.setattr(IMNNet, "calculate_loss", lambda *batch: loss(*batch) * float("nan"))
    assert main(["--model=IMNNet", "--dataset=toy", f"--data_path={toy}"]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "error: Training loss is nan in window 1 of epoch 0; no step was made yet" in line


def test_a_batch_without_a_masked_item_is_one_line_that_says_so(toy, capsys):
    options = ["--model=BERT4Rec", "--dataset=toy", f"--data_path={toy}", "--train_batch_size=1"]
    assert main([*options, "--mask_ratio=0.02"]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "error: a batch of 1 rows has no masked item from which BERT4Rec could learn" in line


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model=FOSSIL", "--order_len=9"], "order_len can't longer than the max_seq_length"),
        (["--model=SHAN", "--short_item_length=9"], "short_item_length can't longer than the max"),
    ],
)
def test_what_recbole_asserts_with_a_word_is_one_line(toy, capsys, options, told):
    common = ["--dataset=toy", f"--data_path={toy}", "--MAX_ITEM_LIST_LENGTH=5"]
    assert main([*options, *common]) == 2
    assert f"error: {told}" in capsys.readouterr().err


SMALL = ["--show_progress=False", "--use_gpu=False", "--epochs=1", "--train_batch_size=64"]


def test_a_run_without_validation(toy, capsys):
    options = ["--model=IMNNet", "--dataset=toy", f"--data_path={toy}", "--eval_step=0"]
    assert main([*options, *SMALL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].split() == ["epoch", "train", "loss", "seconds"]
    assert lines[7].split()[3:] == ["IMNNet", "RecentHistory", "LastItem"]
    assert main([*options, *SMALL, "--screen=log"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:2] == ["recall@10", "-"]
    assert lines[-1].startswith("model card: ")


def test_the_data_folder_may_be_named_in_a_file(toy, capsys):
    (toy / "where.yaml").write_text(f"data_path: {toy}\n")
    options = ["--model=LastItem", "--dataset=toy", "--config_files=where.yaml"]
    assert main([*options, "--show_progress=False"]) == 0
    assert "model card  " in capsys.readouterr().out


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_sampled_evaluation_has_no_card(toy, capsys, model):
    sampled = "{'split':{'RS':[0.8,0.1,0.1]},'order':'TO','group_by':None,'mode':'uni5'}"
    options = [f"--model={model}", "--dataset=toy", f"--data_path={toy}"]
    assert main([*options, f"--eval_args={sampled}", *SMALL]) == 0
    assert "model card  none: its ranks are among sampled items" in capsys.readouterr().out


def test_a_run_that_is_stopped_before_it_trains_says_so(toy, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "_run", stop)
    assert main(["--model=IMNNet", "--dataset=toy"]) == 130
    assert capsys.readouterr().err == "interrupted; training had not begun\n"

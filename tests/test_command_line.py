"""The entry point refuses what RecBole would silently ignore."""

import pytest

from recbole_imn.command_line import UsageError, check, help_text, main
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


def test_keys_of_a_settings_file_are_known(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("my_key: 1\n")
    options = check([*GOOD, f"--config_files={file}", "--my_key=2", "--dropout_prob=0.1"][:4])
    assert options["my_key"] == "2"


def test_a_broken_settings_file_is_refused(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("a: [1,\n")
    with pytest.raises(UsageError, match=r"broken\.yaml is not valid yaml"):
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


def test_a_bad_option_value_is_one_line(toy, capsys):
    arguments = ["--model=IMNNet", "--dataset=toy", f"--data_path={toy}", "--resource_branch=half"]
    assert main(arguments) == 2
    assert "resource_branch is 'half'" in capsys.readouterr().err

"""The unmodified RecBole finds what the package registers."""

import subprocess
import sys
import textwrap

import pytest
import torch
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer

from recbole_imn import registry
from recbole_imn.data.dataloader import WindowDataLoader
from recbole_imn.data.dataset import IMNNetDataset, StreamDataset
from recbole_imn.errors import SettingsError
from recbole_imn.model.imnnet import IMNNet
from recbole_imn.trainer import IMNNetTrainer

BASELINES = ("SASRec", "GRU4Rec", "NextItNet", "FPMC")


def test_recboles_lookups_give_our_classes(make_config):
    config = make_config("IMNNet")
    assert get_model("IMNNet") is IMNNet
    assert get_trainer(config["MODEL_TYPE"], "IMNNet") is IMNNetTrainer
    dataset = create_dataset(config)
    assert type(dataset) is IMNNetDataset
    assert type(data_preparation(config, dataset)[0]) is WindowDataLoader


def test_registering_twice_changes_nothing(make_config):
    before = create_dataset
    registry.register()
    from recbole.data import create_dataset as after

    assert before is after


def test_built_in_models_use_the_stream_only_where_asked(make_config):
    from recbole.data.dataset import SequentialDataset

    assert type(create_dataset(make_config("SASRec"))) is StreamDataset
    plain = make_config("SASRec", event_stream=False, train_neg_sample_args=None,
                        load_col={"inter": ["user_id", "item_id", "timestamp"]})  # fmt: skip
    assert type(create_dataset(plain)) is SequentialDataset


def test_settings_of_other_runs_stay_recboles():
    from recbole.config import Config

    config = Config(model="BPR", dataset="ml-100k")
    assert config["event_stream"] is None
    assert config["eval_args"]["order"] == "RO"


def test_a_part_of_eval_args_leaves_the_rest(make_config):
    whole = make_config("SASRec")["eval_args"]
    split = {"RS": [0.7, 0.1, 0.2]}
    assert make_config("SASRec", eval_args={"split": split})["eval_args"] == {
        **whole,
        "split": split,
    }
    leave_one_out = make_config("SASRec", eval_args={"split": {"LS": "valid_and_test"}})
    assert leave_one_out["eval_args"]["group_by"] == "user"
    assert leave_one_out["eval_args"]["order"] == "TO"


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_a_data_set_of_its_own_keeps_the_rest_too(make_config, tmp_path, monkeypatch, model):
    """A part means the same wherever it stands."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset_configs").mkdir()
    file = tmp_path / "dataset_configs" / "toy.yaml"
    for split in ({"RS": [0.6, 0.2, 0.2]}, {"LS": "valid_and_test"}):
        file.unlink(missing_ok=True)
        asked = make_config(model, eval_args={"split": split})["eval_args"]
        file.write_text(f"eval_args: {{split: {split}}}\n")
        assert make_config(model)["eval_args"] == asked


def test_a_market_under_another_name_is_read_like_czb(tmp_path):
    (tmp_path / "taste").mkdir()
    assert registry.dataset_config("taste", tmp_path) is None
    (tmp_path / "taste" / "taste.market.json").write_text("{}")
    assert registry.dataset_config("taste", tmp_path) == registry.dataset_config("czb")


def test_losses_over_the_catalogue_need_no_sampled_negatives(make_config):
    assert make_config("SASRec")["train_neg_sample_args"]["distribution"] == "none"
    assert make_config("FPMC")["train_neg_sample_args"]["distribution"] == "uniform"


def test_external_settings_win_over_ours(make_config):
    config = make_config("IMNNet", topk=[3], valid_metric="MRR@3")
    assert config["topk"] == [3]
    assert config["n_negatives"] == 127


def test_the_window_loader_gives_every_training_event_in_order(prepare):
    _, dataset, (train, *_), _ = prepare("IMNNet")
    for _ in range(2):  # two epochs
        events = torch.cat([batch["event_index"] for batch in train])
        assert events.tolist() == list(range(dataset.event_bounds[1]))


def test_shuffling_windows_is_refused(prepare):
    with pytest.raises(SettingsError, match="shuffle is True, but IMNNet"):
        prepare("IMNNet", shuffle=True)


def test_mixed_precision_is_refused(prepare):
    config, _, _, model = prepare("IMNNet", enable_amp=True)
    with pytest.raises(SettingsError, match="enable_amp is True"):
        IMNNetTrainer(config, model)


@pytest.mark.parametrize("model", sorted({*registry.MODELS, *BASELINES}))
def test_models_train_and_reload_their_best_epoch(prepare, model):
    config, _, (train, valid, test), network = prepare(model, hidden_size=8, inner_size=8)
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    trainer.fit(train, valid)
    result = trainer.evaluate(test)
    again = get_trainer(config["MODEL_TYPE"], model)(config, network)
    assert again.evaluate(test, model_file=trainer.saved_model_file) == result


def test_sampled_evaluation_works(prepare):
    mode = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "none", "mode": "uni5"}
    config, _, (train, valid, test), network = prepare("IMNNet", eval_args=mode)
    trainer = IMNNetTrainer(config, network)
    trainer.fit(train, valid, saved=False)
    assert 0 < trainer.evaluate(test, load_best_model=False)["recall@5"] <= 1


def test_the_same_seed_gives_the_same_numbers(prepare):
    results = []
    for _ in range(2):
        config, _, (train, valid, test), network = prepare("IMNNet", epochs=2)
        trainer = IMNNetTrainer(config, network)
        trainer.fit(train, valid)
        weights = torch.cat([weight.flatten() for weight in network.parameters()])
        results.append((trainer.evaluate(test), weights))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])


def test_training_resumes_where_it_stopped(prepare):
    def trained(epochs, resume=None):
        config, _, (train, *_), network = prepare("IMNNet", epochs=epochs)
        trainer = IMNNetTrainer(config, network)
        if resume:
            trainer.resume_checkpoint(resume)
            torch.manual_seed(1)
        trainer.fit(train, None)
        return trainer

    first = trained(1)
    resumed = trained(2, resume=first.saved_model_file)
    assert resumed.start_epoch == 1
    assert list(resumed.train_loss_dict) == [1]
    assert resumed.train_loss_dict[1] < first.train_loss_dict[0]


def test_a_fresh_process_loads_a_checkpoint(toy, prepare):
    config, _, (train, valid, test), network = prepare("IMNNet")
    trainer = IMNNetTrainer(config, network)
    trainer.fit(train, valid)
    expected = trainer.evaluate(test)
    program = f"""
        import recbole_imn
        from recbole.quick_start import load_data_and_model
        from recbole.utils import get_trainer
        file = {trainer.saved_model_file!r}
        config, model, dataset, train, valid, test = load_data_and_model(file)
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
        print(trainer.evaluate(test, load_best_model=False) == {dict(expected)!r})
    """
    program = program.replace("np.float64", "float")
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, check=False, cwd=toy,
    )  # fmt: skip
    assert run.stdout.strip().endswith("True"), run.stderr


def test_importing_the_package_leaves_anomaly_detection_off():
    import recbole.model.sequential_recommender.sine  # noqa: F401  (turns it on when imported)

    assert not torch.is_anomaly_enabled()

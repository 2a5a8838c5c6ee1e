"""A class of the user's own is a model like ours, through every door."""

import textwrap

import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.general_recommender import BPR
from recbole.model.sequential_recommender import SASRec
from recbole.quick_start import load_data_and_model, run_recbole
from recbole.trainer import Trainer
from recbole.utils import ModelType, get_model, get_trainer

import recbole_imn
from recbole_imn import own_models, registry
from recbole_imn.command_line import help_text, main
from recbole_imn.data.dataloader import WindowDataLoader
from recbole_imn.data.dataset import IMNNetDataset, StreamDataset
from recbole_imn.errors import CheckpointError, RegistrationError, SettingsError, UsageError
from recbole_imn.evaluation.benchmark.plan import Conditions, check_models, make_run
from recbole_imn.model.imnnet import IMNNet
from recbole_imn.model.plus import IMNNetPlus
from recbole_imn.model.recency import RecentHistory
from recbole_imn.options import check
from recbole_imn.own_models import register_model
from recbole_imn.trainer import IMNNetTrainer
from recbole_imn.tuning.space import space_file
from tests.registered import forgotten_afterwards, unregister

SMALL = {
    "show_progress": False,
    "use_gpu": False,
    "embedding_size": 8,
    # Of SASRec, whose heads share the width.
    "hidden_size": 8,
    "train_batch_size": 32,
    "epochs": 1,
    "topk": [5],
    "valid_metric": "NDCG@5",
}


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    """Let every test begin with our own classes only."""
    monkeypatch.setattr(own_models, "_classes", dict(own_models._classes))
    monkeypatch.setattr(own_models, "_defaults", {})
    with forgotten_afterwards():
        yield


def trained(toy, model, **options):
    settings = {**SMALL, "data_path": str(toy), **options}
    return run_recbole(model=model, dataset="toy", config_dict=settings)


@pytest.mark.parametrize("parent", [IMNNet, IMNNetPlus, RecentHistory, SASRec])
def test_a_subclass_gives_the_figures_of_its_parent(toy, parent):
    child = type("MyModel", (parent,), {})
    expected = trained(toy, parent.__name__, event_stream=True)
    # Not registered: RecBole's own quick start is handed the class.
    assert trained(toy, child) == expected
    assert trained(toy, "MyModel") == expected


def test_recboles_lookups_give_what_belongs_to_the_class(make_config):
    @register_model
    class MyIMN(IMNNetPlus):
        pass

    class MySAS(SASRec):
        pass

    register_model(MySAS)
    assert registry.is_ours("MyIMN")
    assert not registry.is_ours("MySAS")
    for model, trainer, dataset in (
        (MyIMN, IMNNetTrainer, IMNNetDataset),
        (MySAS, Trainer, StreamDataset),
    ):
        config = make_config(model.__name__)
        assert get_model(model.__name__) is model
        assert get_trainer(config["MODEL_TYPE"], model.__name__) is trainer
        made = create_dataset(config)
        assert type(made) is dataset
        loader = data_preparation(config, made)[0]
        assert isinstance(loader, WindowDataLoader) == (model is MyIMN)


def test_settings_come_from_parents_then_files_then_options(toy, make_config, tmp_path):
    class MyBase(IMNNetPlus):
        pass

    class MyChild(MyBase):
        pass

    file = tmp_path / "base.yaml"
    file.write_text("n_negatives: 5\nlearning_rate: 1e-2\nmy_depth: 3\n")
    register_model(MyBase, file)
    register_model(MyChild, {"my_depth": 4})
    config = make_config("MyChild")
    assert config["my_depth"] == 4
    # As a number, which plain yaml would read as text.
    assert config["learning_rate"] == 0.01
    assert config["n_negatives"] == 5
    # Of IMNNetPlus.yaml, and of stream.yaml.
    assert config["resource_branch"] == "none"
    assert config["event_stream"] is True
    assert make_config("MyBase", my_depth=7)["my_depth"] == 7
    assert make_config("IMNNetPlus")["n_negatives"] == 127


def test_settings_of_a_recbole_model_are_inherited(make_config):
    class MySAS(SASRec):
        pass

    register_model(MySAS, {"n_heads": 4})
    mine, parents = make_config("MySAS"), make_config("SASRec")
    keys = ("n_layers", "loss_type", "train_neg_sample_args", "MAX_ITEM_LIST_LENGTH")
    assert {key: mine[key] for key in keys} == {key: parents[key] for key in keys}
    assert mine["n_heads"] == 4


@pytest.mark.parametrize("parent", [IMNNetPlus, SASRec])
def test_a_checkpoint_is_loaded_into_the_class(toy, parent, tmp_path):
    class MyModel(parent):
        def __init__(self, config, dataset):
            super().__init__(config, dataset)
            self.mine = torch.nn.Parameter(torch.zeros(config["my_width"]))

    register_model(MyModel, {"my_width": 3})
    trained(toy, MyModel, checkpoint_dir=str(tmp_path / "saved"))
    (file,) = (tmp_path / "saved").glob("MyModel-*.pth")
    config, model, *_ = load_data_and_model(str(file))
    assert type(model) is MyModel
    assert config["model"] == "MyModel"
    assert model.mine.shape == (3,)


def test_a_checkpoint_of_a_class_that_nobody_registered_is_one_line(toy, tmp_path, monkeypatch):
    class MyModel(IMNNet):
        pass

    trained(toy, MyModel, checkpoint_dir=str(tmp_path / "saved"))
    (file,) = (tmp_path / "saved").glob("MyModel-*.pth")
    unregister("MyModel")
    with pytest.raises(CheckpointError, match=r"is of the model 'MyModel'.*register_model"):
        load_data_and_model(str(file))


def test_the_training_command_knows_it_and_its_keys(toy, capsys):
    class MyIMN(IMNNet):
        pass

    register_model(MyIMN, {"my_depth": 3})
    arguments = ["--model=MyIMN", "--dataset=toy", f"--data_path={toy}"]
    small = [f"--{key}={value}" for key, value in SMALL.items() if key != "hidden_size"]
    assert main([*arguments, *small, "--my_depth=4"]) == 0
    assert "MyIMN on toy" in capsys.readouterr().out
    assert "MyIMN" in help_text()
    with pytest.raises(UsageError, match="unknown key --my_deph; did you mean --my_depth"):
        check([*arguments, "--my_deph=4"])
    assert main([*arguments, *small, "--my_depth=deep"]) == 2
    assert "my_depth of MyIMN is 'deep'; it must be a whole number" in capsys.readouterr().err
    (toy / "mine.yaml").write_text("my_depth: 5\n")
    assert check([*arguments, f"--config_files={toy / 'mine.yaml'}"])


def test_an_unregistered_name_says_what_to_do(toy, capsys):
    assert main(["--model=Qqqqq", "--dataset=toy", f"--data_path={toy}"]) == 2
    error = capsys.readouterr().err
    assert error == (
        "error: there is no model 'Qqqqq'; a class of your own: recbole_imn.register_model(CLASS) "
        "first\n"
    )


def test_the_nearest_name_is_found_whatever_the_case(toy, capsys):
    assert main(["--model=imnnet", "--dataset=toy", f"--data_path={toy}"]) == 2
    assert "there is no model 'imnnet'; did you mean IMNNet" in capsys.readouterr().err


def test_tuning_searches_the_space_of_the_parent():
    class MyIMN(IMNNetPlus):
        pass

    class MyRecent(RecentHistory):
        pass

    register_model(MyIMN)
    register_model(MyRecent)
    assert space_file("MyIMN").stem == "IMNNetPlus"
    with pytest.raises(SettingsError, match="MyRecent learns nothing"):
        space_file("MyRecent")


PROGRAM = """
    from recbole_imn import register_model
    from recbole_imn.model.imnnet import IMNNet

    class MyImported(IMNNet):
        def __init__(self, config, dataset):
            super().__init__(config, dataset)
            print("my depth is", config["my_depth"])
"""


def test_the_benchmark_runs_it(toy, monkeypatch):
    from recbole_imn.__main__ import main as command

    (toy / "my_module.py").write_text(textwrap.dedent(PROGRAM))
    monkeypatch.syspath_prepend(str(toy))
    monkeypatch.setenv("PYTHONPATH", str(toy), prepend=":")
    from my_module import MyImported

    register_model(MyImported, {**SMALL, "my_depth": 3})
    arguments = ["benchmark", "--dataset=toy", f"--data_path={toy}", "--models=MyImported,LastItem"]
    assert command([*arguments, "--seeds=1", "--epochs=1"]) == 0
    log = toy / "results" / "toy" / "logs" / "MyImported-1.txt"
    assert "my depth is 3" in log.read_text()
    assert "MyImported" in (toy / "results" / "toy.md").read_text()


def test_the_benchmark_refuses_what_its_runs_could_not_import(toy):
    class MyLocal(IMNNet):
        pass

    register_model(MyLocal)
    with pytest.raises(RegistrationError, match="MyLocal is defined inside the running program"):
        check_models(["MyLocal"], "toy")


def test_properties_of_a_benchmark_are_part_of_its_identity(toy):
    class MyModel(IMNNet):
        pass

    def identity():
        folder = toy / "toy"
        given = Conditions("toy", folder, "sha256:0", 1, "all", {})
        return make_run("MyModel", 1, given).identity

    register_model(MyModel, {"n_negatives": 5})
    before = identity()
    register_model(MyModel, {"n_negatives": 6})
    assert identity() != before


@pytest.mark.parametrize(
    ("name", "parent", "message"),
    [
        ("IMNNet", IMNNetPlus, "'IMNNet' belongs to recbole_imn.model.imnnet.IMNNet"),
        ("imnnet", IMNNet, "'imnnet' belongs to recbole_imn.model.imnnet.IMNNet"),
        ("SASRec", SASRec, "belongs to RecBole's model/sequential_recommender/sasrec.py"),
        ("Bpr", SASRec, "belongs to RecBole's model/general_recommender/bpr.py"),
        ("KG", IMNNet, "belongs to RecBole's KGTrainer"),
        ("Sequential", IMNNet, "belongs to RecBole's SequentialDataset"),
    ],
)
def test_a_name_that_is_taken_is_refused(name, parent, message):
    with pytest.raises(RegistrationError, match=message):
        register_model(type(name, (parent,), {}))


@pytest.mark.parametrize("model", [BPR, "IMNNet", object, None, torch.nn.Linear(1, 1)])
def test_what_is_no_sequential_model_is_refused(model):
    with pytest.raises(RegistrationError, match=r"is no class of a sequential model; derive it"):
        register_model(model)


def test_two_classes_of_one_name_are_refused_but_a_new_definition_is_not():
    def define(parent):
        class MyModel(parent):
            pass

        return MyModel

    first, second, third = define(IMNNet), define(IMNNet), define(SASRec)
    register_model(first, {"my_depth": 3})
    register_model(second)
    assert get_model("MyModel") is second
    assert own_models.own_defaults("MyModel") == {"my_depth": 3}
    register_model(third)
    assert get_trainer(ModelType.SEQUENTIAL, "MyModel") is Trainer
    other = type("MyModel", (IMNNet,), {"__module__": "elsewhere"})
    with pytest.raises(RegistrationError, match="'MyModel' belongs to"):
        register_model(other)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1", "is not valid yaml"), ("- 1\n", "holds list, not settings"), (None, "No such file")],
)
def test_properties_that_cannot_be_read_are_one_line(tmp_path, text, message):
    class MyModel(IMNNet):
        pass

    file = tmp_path / "mine.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=message) as error:
        register_model(MyModel, file)
    assert "\n" not in str(error.value)
    assert str(file) in str(error.value)
    assert "MyModel" not in own_models.names()


def test_recboles_own_classes_stay_recboles(toy):
    settings = {**SMALL, "data_path": str(toy), "train_neg_sample_args": None}
    config = Config(model=SASRec, dataset="toy", config_dict=settings)
    assert config["event_stream"] is None
    assert not own_models.is_registered("SASRec")
    assert "SASRec" not in own_models.names()


def test_the_package_offers_it():
    assert recbole_imn.register_model is register_model

"""What is trained does not depend on what is evaluated."""

import random

import pytest
from recbole.utils import get_trainer

EVALUATED = [
    {"eval_batch_size": 7},
    {"eval_rows": 10},
    {"eval_args": {"mode": "uni5"}},
    {"eval_args": {"mode": {"valid": "uni5", "test": "full"}}, "eval_batch_size": 40},
]


def trained(prepare, model, **options):
    """Give the sum of all weights after two epochs, and what Python would draw next."""
    config, _, loaders, made = prepare(model, epochs=2, **options)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, made)
    trainer.fit(loaders[0], loaders[1], saved=False)
    weights = sum(weight.detach().double().sum() for weight in made.parameters())
    return float(weights), random.random()


@pytest.mark.parametrize("model", ["BERT4Rec", "SASRec"])
def test_weights_do_not_depend_on_what_is_ranked(prepare, model):
    small = {"hidden_size": 8, "inner_size": 8, "n_layers": 1}
    usual = trained(prepare, model, **small)
    for options in EVALUATED:
        assert trained(prepare, model, **small, **options) == usual, options

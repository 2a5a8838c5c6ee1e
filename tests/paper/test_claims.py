"""Claims name systems as a benchmark does, and agree with the paper's own tables."""

import pytest

from recbole_imn.compat import model_names
from recbole_imn.evaluation.systems import model_of, parse_system
from recbole_imn.paper.claims import CLAIMS, systems_of_claims
from recbole_imn.paper.figures import METRICS, published

DENIED = "JODIE beats IMN-Net"


def test_every_claim_is_told_once():
    assert len({claim.text for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim.pairs
        assert len(set(claim.pairs)) == len(claim.pairs)


def test_systems_are_named_as_a_benchmark_names_them():
    for claim in CLAIMS:
        for system in claim.systems:
            assert parse_system(system).name == system
            assert model_of(system) in model_names()


@pytest.mark.parametrize("name", [name for name in systems_of_claims() if " " in name])
def test_each_system_differs_by_its_switches_alone(name, prepare):
    system = parse_system(name)
    config, plain = prepare(system.model, **system.switches)[0], prepare(system.model)[0]
    changed = {key for key, value in config.final_config_dict.items() if plain[key] != value}
    assert changed <= set(system.switches)
    assert {key: config[key] for key in system.switches} == system.switches


def test_both_sides_of_a_claim_about_a_setting_have_it_switched():
    """Tuned settings of a model may be any, also those of the other side."""
    settings = {"n_negatives": "N = 128", "fusion": "Fusion by", "item_drift_weight": "Without the"}
    for setting, begin in settings.items():
        (claim, *_) = (one for one in CLAIMS if one.text.startswith(begin))
        values = [parse_system(system).switches[setting] for system in claim.systems]
        assert len(set(values)) == len(values) > 1


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.text)
def test_the_papers_own_figures_say_what_it_claims_but_for_its_text(claim):
    differences = [
        published(log, pair.ahead.system, pair.ahead.metric)
        - published(log, pair.behind.system, pair.behind.metric)
        for log in claim.logs
        for pair in claim.pairs
    ]
    if claim.text.startswith(DENIED):
        assert all(difference < 0 for difference in differences)
    else:
        assert all(difference > 0 for difference in differences)


def test_the_first_claim_is_of_every_baseline_and_metric():
    pairs = {(pair.behind.system, pair.behind.metric) for pair in CLAIMS[0].pairs}
    systems = {"FPMC", "SASRec", "GRU4Rec", "NextItNet", "JODIE"}
    assert pairs == {(system, metric) for system in systems for metric in METRICS}

"""Names of systems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.evaluation.systems import System, model_of, parse_system, split_names
from recbole_imn.literals import read_literal

VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.from_regex(r"[a-z][a-z_.]{0,8}", fullmatch=True).filter(
        lambda text: text == read_literal(text)
    ),
)
KEYS = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)


def test_a_system_is_a_model_and_its_switches_in_order():
    system = parse_system(" IMNNet  user_drift_weight=0.10 fusion=concat ")
    assert system == System("IMNNet", {"fusion": "concat", "user_drift_weight": 0.1})
    assert system.name == "IMNNet fusion=concat user_drift_weight=0.1"
    assert parse_system("IMNNet") == System("IMNNet")
    assert parse_system("IMNNet").name == model_of(system.name) == "IMNNet"


def test_equal_numbers_have_one_name():
    names = {parse_system(f"JODIE w={text}").name for text in ("0", "0.0", "0e3", "-0.0")}
    assert names == {"JODIE w=0"}
    assert parse_system("JODIE w=1e-3").switches == {"w": 0.001}


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_name_is_read_back(switches):
    system = System("IMNNet", dict(sorted(switches.items())))
    again = parse_system(system.name)
    assert again.switches == system.switches
    assert again.name == system.name


def test_commas_in_brackets_are_no_borders():
    text = "IMNNet, IMNNetPlus sources=[own_items,co_visited] calibrate=False,,JODIE"
    assert split_names(text) == [
        "IMNNet",
        "IMNNetPlus sources=[own_items,co_visited] calibrate=False",
        "JODIE",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("IMNNet in_batch", "has 'in_batch'; write MODEL KEY=VALUE"),
        ("IMNNet =3", "has '=3'"),
        ("IMNNet fusion=", "has 'fusion='"),
        ("IMNNet cell=gru cell=lstm", "sets cell twice"),
    ],
)
def test_mistakes_are_one_line(text, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_system(text)
    assert "\n" not in str(error.value)

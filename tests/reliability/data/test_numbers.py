"""Numbers that nobody can compute with, and columns of equal or huge ones."""

import numpy as np
import pytest
import torch

from recbole_imn.__main__ import main
from recbole_imn.data.feature_maps import Scale
from recbole_imn.errors import DataError
from tests.reliability.logs import (
    CE,
    COLUMNS,
    RICH,
    rich_items,
    rich_rows,
    scores_of,
    train,
    write_items,
    write_rich,
)

BAD = ["inf", "-inf", "nan", "NaN", "1e300", "1e39", "ten"]


def log_with(toy, value, place=200):
    rows = rich_rows()
    rows[place][5] = value
    write_rich(toy, "bad", rows)
    return {**RICH, "dataset": "bad"}


def items_with(toy, place, value):
    items = rich_items()
    items["i9"][place] = value
    write_rich(toy, "bad", items=items)
    return {**RICH, "dataset": "bad"}


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("key", ["event_features", "inventory_features"])
def test_bad_numbers_of_events_are_refused_with_their_line(prepare, toy, value, key):
    options = log_with(toy, value)
    with pytest.raises(DataError, match=r"bad\.inter, line 202: paid is '?[-+.\w]+'?[,;]"):
        prepare("IMNNetPlus", **{**options, "event_features": [], key: ["paid"]})


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(("place", "field", "text"), [(1, "price", "{}"), (3, "image", "1 {}")])
def test_bad_numbers_of_items_are_refused_with_their_line(prepare, toy, value, place, field, text):
    options = items_with(toy, place, text.format(value))
    with pytest.raises(DataError, match=rf"bad\.item, line 10: {field} is ") as error:
        prepare("IMNNetPlus", **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", BAD)
def test_bad_numbers_of_users_are_refused_with_their_line(prepare, toy, value):
    (toy / "toy" / "toy.user").write_text(f"user_id:token\tage:float\nu1\t30\nu2\t{value}\n")
    with pytest.raises(DataError, match=r"toy\.user, line 3: age is "):
        prepare("SASRec", load_col={"inter": COLUMNS, "user": ["user_id", "age"]}, **CE)


@pytest.mark.parametrize("value", [*BAD, "-inf"])
@pytest.mark.parametrize("place", [0, 1])
def test_only_the_end_of_a_stay_may_be_open(prepare, toy, capsys, value, place):
    items = {"i1": ["0", "5"], "i2": ["0", "5"]}
    items["i2"][place] = value
    write_rich(toy, "stays")
    write_items(toy, "stays", items, "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq")
    columns = {"inter": COLUMNS, "item": ["item_id", "listed_at", "delisted_at"]}
    status = main(["describe", "stays", f"--data_path={toy}"])
    if (value, place) == ("inf", 1):
        assert status == 0
        prepare("IMNNet", dataset="stays", load_col=columns)
        return
    assert status == 2
    field = ("listed_at", "delisted_at")[place]
    assert f"stays.item, line 3: {field} is" in capsys.readouterr().err
    with pytest.raises(DataError, match=rf"stays\.item, line 3: {field} is"):
        prepare("IMNNet", dataset="stays", load_col=columns)


def test_numbers_too_far_from_training_are_refused_with_their_line(prepare, toy):
    with pytest.raises(DataError, match=r"bad\.inter, line 292: paid is 1e\+30, too far"):
        prepare("IMNNetPlus", **log_with(toy, "1e30", place=290))
    write_rich(toy, "bad", items={**rich_items(), "idle": ["b1", "1", "", "1 3e38"]})
    with pytest.raises(DataError, match=r"bad\.item, line 22: image is 3e\+38, too far"):
        prepare("IMNNetPlus", dataset="bad", **RICH)


@pytest.mark.parametrize("scale", [0.0, 1e-300, 1e-30, 1e30])
def test_constant_and_huge_columns_are_finite(prepare, toy, scale):
    rows = rich_rows()
    for place, row in enumerate(rows):
        row[5] = repr(0.1 + scale if scale < 1 else scale * (place % 7))
    rows[295][5] = repr(5.0)
    write_rich(toy, "flat", rows)
    _, dataset, (training, _, test), model = prepare("IMNNetPlus", dataset="flat", **RICH)
    assert np.isfinite(train(model, training)).all()
    assert torch.isfinite(scores_of(model, test._dataset)[:, 1:]).all()
    assert np.abs(dataset.log.features).max() < 100


def test_equal_numbers_stay_equal_whatever_rounding_does():
    # 0.1 as a mean of 0.1s is off by a bit.
    values = np.full((1001, 1), 0.1)
    scale = Scale.fit(values)
    assert (scale(values) == 0).all()
    assert scale(np.array([[5.0]]))[0, 0] == pytest.approx(4.9)

"""Times of any origin and unit."""

import numpy as np
import pytest
import torch

from recbole_imn.__main__ import main
from recbole_imn.errors import DataError
from tests.reliability.logs import CE, RICH, rich_rows, scores_of, train, write_items, write_rich

SHIFTS = [-(2.0**20), -(2.0**31), 2.0**31, 2.0**40]


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("IMNNetPlus", RICH),
        ("IMNNet", {**RICH, "resource_branch": "full", "inventory_features": ["paid"]}),
        ("JODIE", {"elapsed_scale": "linear"}),
        ("RecentHistory", {}),
        ("SASRec", CE),
    ],
)
def test_times_count_from_anywhere(prepare, toy, name, options, shift):
    found = []
    for data, add in (("zero", 0.0), ("moved", shift)):
        rows = [[*row[:2], row[2] + add, *row[3:]] for row in rich_rows()]
        write_rich(toy, data, rows)
        _, _, (training, _, test), model = prepare(name, dataset=data, **options)
        found.append((train(model, training), scores_of(model, test._dataset)))
    assert np.isfinite(found[0][0]).all()
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_candidates_on_the_shelf_are_those_of_any_origin(prepare, toy):
    masks = []
    for data, add in (("zero", 0), ("moved", -(2**31))):
        rows = [[*row[:2], row[2] + add, *row[3:]] for row in rich_rows()]
        write_rich(toy, data, rows)
        stays = {f"i{k}": [f"{k * 3000 + add}", f"{k * 3000 + 50000 + add}"] for k in range(1, 21)}
        write_items(toy, data, stays, "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq")
        loader = prepare("IMNNet", dataset=data, candidates="on_shelf")[2][2]
        masks.append(next(iter(loader))[1])
    assert masks[0].any()
    assert torch.equal(*masks)


def test_times_in_another_unit_are_told(prepare, toy, caplog):
    rows = [[*row[:2], row[2] * 1000 + 1.5e12, *row[3:]] for row in rich_rows()]
    rows[7][2] = 1_500_000_000
    write_rich(toy, "mixed", rows)
    prepare("IMNNet", dataset="mixed")
    assert "timestamp must be in seconds, but times reach 15000" in caplog.text
    assert "but 1 of 300 are not, 1500000000 (2017-07-14 if counted from 1970)" in caplog.text


def test_times_of_no_unit_are_refused(prepare, toy, capsys):
    rows = rich_rows()
    rows[4][2] = "1e300"
    write_rich(toy, "bad", rows)
    with pytest.raises(DataError, match=r"bad\.inter, line 6: timestamp is 1e\+300"):
        prepare("IMNNet", dataset="bad")
    assert main(["describe", "bad", f"--data_path={toy}"]) == 2
    assert "bad.inter, line 6: timestamp is 1e+300" in capsys.readouterr().err

"""Clocks without an offset hang where those of the log hung."""

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import torch

from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.serving import Recommender
from recbole_imn.serving.snapshot import KEY
from recbole_imn.serving.taking import take_snapshot
from recbole_imn.serving.updating.update import update
from recbole_imn.serving.updating.wishes import Wishes
from tests.serving.updating.conftest import rows_of

QUIET = Wishes(progress=False)
SHANGHAI = "Asia/Shanghai"


def clocks(shop, zone):
    """Some events of the test part by a clock of a time zone."""
    rows = rows_of(shop, shop.start, shop.start + 4)
    for row in rows:
        moment = datetime.fromisoformat(row["time"]).astimezone(ZoneInfo(zone))
        row["time"] = moment.replace(tzinfo=None).isoformat(" ", "microseconds")
    return rows


@pytest.fixture
def in_shanghai(shop, tmp_path):
    """A checkpoint of a log whose clocks hung in Shanghai."""
    values = torch.load(shop.file, weights_only=True)
    values[KEY]["time_zone"] = SHANGHAI
    write_sealed(tmp_path / "old.pth", values, CHECKPOINT)
    return tmp_path / "old.pth"


def span(shop):
    moments = shop.events(shop.start, shop.start + 4)["time"]
    return [datetime.fromtimestamp(one, timezone.utc) for one in (moments[0], moments[-1])]


@pytest.mark.parametrize(("zone", "given"), [(SHANGHAI, {}), ("UTC", {"time_zone": "UTC"})])
def test_the_zone_of_the_log_is_taken_unless_one_is_given(
    shop, in_shanghai, write, tmp_path, zone, given
):
    wishes = replace(QUIET, settings=given)
    done = update(in_shanghai, [write(clocks(shop, zone))], tmp_path / "new.pth", wishes)
    assert [datetime.fromisoformat(one) for one in done.span] == span(shop)
    assert done.notes == ()
    assert Recommender.load(done.output).market.snapshot.time_zone == SHANGHAI


def test_a_checkpoint_that_knows_no_zone_says_that_clocks_were_read_as_utc(shop, write, tmp_path):
    values = torch.load(shop.file, weights_only=True)
    del values[KEY]["time_zone"]
    write_sealed(tmp_path / "old.pth", values, CHECKPOINT)
    naive = write(clocks(shop, "UTC"), "naive.csv")
    done = update(tmp_path / "old.pth", [naive], tmp_path / "new.pth", QUIET)
    assert [datetime.fromisoformat(one) for one in done.span] == span(shop)
    (note,) = done.notes
    assert "naive.csv have no offset and were read as UTC" in note
    assert "--time-zone" in note
    plain = write(rows_of(shop, shop.start, shop.start + 4), "plain.csv")
    assert update(tmp_path / "old.pth", [plain], tmp_path / "new.pth", QUIET).notes == ()


@pytest.mark.parametrize("is_known", [True, False])
def test_items_are_listed_by_the_same_clocks(shop, in_shanghai, write, tmp_path, is_known):
    item = write([{"item_id": "x", "listed_at": "2030-01-01 08:00:00"}], "items.csv")
    events = write(rows_of(shop, shop.start, shop.start + 4))
    file = in_shanghai if is_known else shop.file
    done = update(file, [events], tmp_path / "new.pth", replace(QUIET, items=item))
    market = Recommender.load(done.output).market
    shelf, number = market.snapshot.shelf, market.items.get("x")
    start = float(shelf.start[np.flatnonzero(shelf.item == number)[0]])
    moment = datetime(2030, 1, 1, 0 if is_known else 8, tzinfo=timezone.utc)
    assert start == moment.timestamp() - shop.origin
    assert len(done.notes) == int(not is_known)


def test_a_snapshot_takes_the_zone_from_the_record_of_the_data_set(shop):
    record = Path(shop.dataset.dataset_path) / "market.source.json"
    record.write_text(json.dumps({"time_zone": SHANGHAI}))
    try:
        assert take_snapshot(shop.model, shop.dataset, shop.start).time_zone == SHANGHAI
    finally:
        record.unlink()
    assert take_snapshot(shop.model, shop.dataset, shop.start).time_zone is None

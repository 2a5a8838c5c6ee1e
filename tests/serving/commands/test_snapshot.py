"""A checkpoint of weights alone gets what it lacks."""

import shutil

import numpy as np
import pytest
import torch

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.serving import Recommender
from recbole_imn.serving.snapshot import KEY
from tests.serving.commands.conftest import assert_same


@pytest.fixture
def bare(shop):
    """The shop, its checkpoint without a snapshot."""
    values = {key: value for key, value in load_checkpoint(shop.file).items() if key != KEY}
    write_sealed(shop.file, values, CHECKPOINT)
    return shop


def test_weights_alone_are_of_no_use_and_the_line_says_what_to_do(bare, command):
    done = command("recommend", "--user=1")
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert f"python -m recbole_imn snapshot {bare.file}" in done.err


@pytest.mark.parametrize(("until", "part"), [("validation", 1), ("test", 2), ("end", 3)])
def test_a_snapshot_ends_where_a_part_begins(bare, command, until, part):
    assert command("snapshot", f"--until={until}").status == 0
    recommender = Recommender.load(bare.file)
    stop = bare.dataset.event_bounds[part]
    assert recommender.position == stop
    users, last = recommender.users[:5], bare.dataset.log.time[stop - 1]
    bare.model.session.seek(stop)
    _, scores = recommender.scores(users)
    if until == "end":
        session = bare.model.session
        query = session.query(np.arange(1, 6), np.full(5, last))
        expected = session.scores(query)[:, 1:]
        assert torch.equal(torch.from_numpy(scores), expected)


def test_a_data_set_that_has_moved_is_found(bare, command, market_folder, tmp_path):
    assert command("snapshot").status == 0
    expected = Recommender.load(bare.file).recommend_many(["1", "2"])
    away = tmp_path / "elsewhere"
    shutil.copytree(market_folder, away)
    assert command("snapshot", f"--data-path={away}").status == 0
    assert_same(Recommender.load(bare.file).recommend_many(["1", "2"]), expected)


def test_a_data_set_that_is_not_there_is_one_line(bare, command, tmp_path):
    before = bare.file.read_bytes()
    done = command("snapshot", f"--data-path={tmp_path / 'nowhere'}")
    assert done.status == 2
    assert done.err.splitlines()[-1].startswith("error: ")
    assert "nowhere" in done.err
    assert bare.file.read_bytes() == before

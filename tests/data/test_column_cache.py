"""Columns that are kept: equal to the file, made anew where they are not."""

import logging
import os

import numpy as np
import pandas as pd
import pytest

from recbole_imn.data import log_file
from recbole_imn.data.column_cache import CONTENTS, ColumnCache
from tests.conftest import random_rows, write_log


@pytest.fixture
def path(tmp_path):
    write_log(tmp_path, "shop", random_rows(n_events=200))
    return tmp_path / "shop" / "shop.inter"


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "user_id": pd.Categorical(
                ["b", "a", None, "b"], pd.Index(["b", "a", "c d"], dtype=object)
            ),
            "timestamp": [1.5, 2.5, np.nan, -0.0],
        }
    )


def kept(path, frame):
    cache = ColumnCache(path, {"format": ["\t", "utf-8"]})
    cache.keep(frame)
    return cache


def test_a_frame_comes_back_as_it_was(path, frame):
    cache = kept(path, frame)
    pd.testing.assert_frame_equal(cache.open(), frame)
    # Whoever writes to it changes nothing for the next.
    opened = cache.open()
    opened["timestamp"].to_numpy(copy=False).setflags(write=True)
    opened.loc[0, "timestamp"] = 7.0
    pd.testing.assert_frame_equal(cache.open(), frame)


def test_another_file_or_another_way_to_read_it_has_no_columns(path, frame):
    kept(path, frame)
    assert ColumnCache(path, {"format": [",", "utf-8"]}).open() is None
    with path.open("a") as file:
        file.write("u1\ti1\t9999999\t1\t0\n")
    changed = ColumnCache(path, {"format": ["\t", "utf-8"]})
    assert changed.open() is None
    changed.keep(frame)
    # Those of the file as it was are gone.
    assert [place.name for place in changed.folder.iterdir()] == [changed.place.name]


@pytest.mark.parametrize("name", ["0.values", "0.names", "1.values", CONTENTS])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "empty"])
def test_damaged_columns_are_not_used(path, frame, name, damage):
    cache = kept(path, frame)
    file = cache.place / name
    content = file.read_bytes()
    if damage == "remove":
        file.unlink()
    else:
        flipped = bytes([content[0] ^ 1]) + content[1:]
        file.write_bytes({"flip": flipped, "cut": content[:-1], "empty": b""}[damage])
    assert cache.open() is None
    cache.keep(frame)
    pd.testing.assert_frame_equal(cache.open(), frame)


def rows_of(make_config, folder):
    from recbole.data import create_dataset

    dataset = create_dataset(make_config("SASRec", data_path=str(folder), dataset="shop"))
    return dataset, dataset.inter_feat.copy()


def test_a_second_start_maps_the_same_log(path, make_config, monkeypatch):
    _, plain = rows_of(make_config, path.parents[1])
    monkeypatch.setattr(log_file, "SMALLEST", 0)
    _, first = rows_of(make_config, path.parents[1])
    # From now on nobody reads the file.
    monkeypatch.setattr(log_file, "read_frame", None)
    dataset, second = rows_of(make_config, path.parents[1])
    pd.testing.assert_frame_equal(first, plain)
    pd.testing.assert_frame_equal(second, plain)
    assert len(dataset.build()) == 3


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is refused to root")
def test_a_folder_that_cannot_be_written_is_said(path, make_config, monkeypatch, caplog):
    monkeypatch.setattr(log_file, "SMALLEST", 0)
    path.parent.chmod(0o500)
    try:
        with caplog.at_level(logging.WARNING):
            rows_of(make_config, path.parents[1])
    finally:
        path.parent.chmod(0o700)
    assert "are not kept for the next start" in caplog.text

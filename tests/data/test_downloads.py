"""``--dataset=tmall`` from RecBole's two downloads, with a download that stays at home."""

import errno
import logging
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from recbole.data.dataset import dataset as upstream

from recbole_imn.data.downloads import BUNDLED
from recbole_imn.data.first_use import provide
from recbole_imn.errors import DataError
from tests.conftest import write_log

HEADER = "user_id:token\tseller_id:token\titem_id:token\tcategory_id:token\ttimestamp:float\n"
DAYS = [1435680000 + 86_400 * day for day in range(40)]
CLICKS = "".join(f"{day % 3}\t9\t{day % 5}\t2\t{time}\n" for day, time in enumerate(DAYS))
BUYS = "".join(f"{day % 3}\t9\t{day % 5}\t2\t{time}\n" for day, time in enumerate(DAYS[::4]))


@pytest.fixture
def internet(monkeypatch):
    """Stand in for RecBole's download; give the addresses that were asked for."""
    asked = []

    def download(url, folder):
        asked.append(url)
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / url.rpartition("/")[2]
        with zipfile.ZipFile(path, "w") as archive:
            rows = BUYS if "buy" in path.name else CLICKS
            archive.writestr(f"{path.stem}.inter", HEADER + rows)
        return str(path)

    monkeypatch.setattr(upstream, "decide_download", lambda url: True)
    monkeypatch.setattr(upstream, "download_url", download)
    return asked


def load(make_config, toy, name="tmall"):
    from recbole.data import create_dataset

    dataset = create_dataset(make_config("IMNNet", dataset=name, data_path=str(toy)))
    dataset._change_feat_format()
    return dataset


def test_the_two_parts_are_downloaded_once_and_merged(toy, make_config, internet):
    dataset = load(make_config, toy)
    assert [url.rpartition("/")[2] for url in internet] == ["tmall-click.zip", "tmall-buy.zip"]
    assert len(dataset.log) == 50
    assert dataset.log.purchase.sum() == 10
    kinds = dataset.field2id_token["behavior"][dataset.log.behaviour[:2]]
    assert kinds.tolist() == ["click", "buy"]
    assert (toy / "tmall" / "tmall.source.json").is_file()
    load(make_config, toy)
    assert len(internet) == 2


def test_without_a_network_one_line_says_what_to_do(toy, make_config, internet, monkeypatch):
    def no_network(url):
        raise OSError("no route to host")

    monkeypatch.setattr(upstream, "decide_download", no_network)
    with pytest.raises(DataError, match=r"could not be downloaded .no route to host.; without a"):
        load(make_config, toy)
    assert not (toy / "tmall").exists()


def test_whoever_asks_first_for_a_log_that_recbole_knows_has_it_downloaded(toy, internet):
    folder = toy / "ml-1m"
    provide(folder, "ml-1m", logging.getLogger())
    assert [file.name for file in folder.iterdir()] == ["ml-1m.inter"]
    assert len(internet) == 1


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (OSError("no route to host"), "no route to host"),
        (EOFError("EOF when reading a line"), "EOF when reading a line"),
        (False, "it was not wanted"),
    ],
)
def test_what_was_not_downloaded_is_one_line(toy, internet, monkeypatch, asked, reason):
    def answer(url):
        if isinstance(asked, Exception):
            raise asked
        return asked

    monkeypatch.setattr(upstream, "decide_download", answer)
    expected = rf"'ml-1m' could not be downloaded \({reason}\); .* put .*ml-1m.inter there by hand"
    with pytest.raises(DataError, match=expected):
        provide(toy / "ml-1m", "ml-1m", logging.getLogger())
    assert not (toy / "ml-1m").exists()


def test_the_log_that_comes_with_recbole_is_copied_once_by_whoever_asks(tmp_path):
    folder = tmp_path / "ml-100k"
    provide(folder, "ml-100k", logging.getLogger())
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert files == {file.name: file.read_bytes() for file in (BUNDLED / "ml-100k").iterdir()}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_is_no_failed_download(tmp_path, monkeypatch, number):
    def refuse(source, target):
        raise OSError(number, os.strerror(number), str(target))

    folder = tmp_path / "ml-100k"
    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(OSError, match=os.strerror(number)) as told:
        provide(folder, "ml-100k", logging.getLogger())
    assert told.value.filename == str(folder)
    assert not folder.exists()


def test_the_log_that_comes_with_recbole_lies_where_data_path_says(toy, make_config):
    config = make_config("IMNNet", dataset="ml-100k")
    assert config["data_path"] == str(toy / "ml-100k")
    # Without a stream, RecBole has it as ever.
    alone = make_config("BPR", dataset="ml-100k", event_stream=False)
    assert "dataset_example" in alone["data_path"]


def test_a_log_of_ones_own_wins_over_the_one_that_comes_with_recbole(toy, make_config):
    write_log(toy, "ml-100k", [("u", item, time, "view", 0) for time, item in enumerate("abcab")])
    assert len(load(make_config, toy, "ml-100k").log) == 5

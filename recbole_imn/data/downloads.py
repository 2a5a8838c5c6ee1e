"""Data sets that RecBole downloads, or has in its package, put in their place on first use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from logging import Logger, getLogger
from pathlib import Path
from types import SimpleNamespace

from recbole.data.dataset import Dataset

from recbole_imn.data.convert import ijcai16
from recbole_imn.data.convert.engine import convert
from recbole_imn.data.publishing import Workspace, settle
from recbole_imn.errors import DataError
from recbole_imn.files import is_of_disk, read_yaml
from recbole_imn.own_models import RECBOLE, RECBOLE_PROPERTIES

TMALL = "tmall"
# RecBole has this log in two parts, one an action, under these names.
TMALL_PARTS = ("tmall-click-not-merged", "tmall-buy-not-merged")
TMALL_BY_HAND = ", or convert the contest's file: python -m recbole_imn convert ijcai16 --help"
# What comes with RecBole itself: ml-100k.
BUNDLED = RECBOLE / "dataset_example"
# Puts the files of a data set, by name, into a folder.
Fetch = Callable[[str, Path], None]


def make_tmall(folder: Path, logger: Logger) -> None:
    """Download the two parts of the Tmall log and merge them into one.

    Parameters
    ----------
    folder : Path
        Where the merged files go; the parts go beside it, and are used if they are there.
    logger : Logger
        Told what happens.

    Raises
    ------
    DataError
        If a part can be neither found nor downloaded, or its file is no such log.
    """
    files = [folder.parent / name / f"{name}.inter" for name in TMALL_PARTS]
    for name, file in zip(TMALL_PARTS, files, strict=True):
        settle(file.parent, name)
        if not file.is_file():
            fetch(file.parent, name, download, TMALL_BY_HAND)
    logger.info(convert(ijcai16.read(files), folder.parent, folder.name).text())


def fetch(folder: Path, name: str, source: Fetch, otherwise: str = "") -> None:
    """Put all files of a data set into its folder, or none.

    Parameters
    ----------
    folder : Path
        The data set's own folder.
    name : str
        Name of the data set.
    source : callable
        Puts the files of a data set, by name, into a folder.
    otherwise : str
        What else can be done where there is no network.

    Raises
    ------
    DataError
        If nothing comes, or no log, or a file in the folder would be replaced.
    OSError
        If it cannot be written.
    """
    with Workspace(folder, name) as work:
        try:
            source(name, work.scratch)
        except (OSError, RuntimeError, EOFError) as error:
            if is_of_disk(error):
                raise
            raise DataError(
                f"data set {name!r} could not be downloaded ({error}); without a network, put "
                f"{folder / name}.inter there by hand{otherwise}"
            ) from error
        files = sorted(work.scratch.glob(f"{name}.*"))
        suffixes = [file.name[len(name) + 1 :] for file in files if file.is_file()]
        if "inter" not in suffixes:
            raise DataError(f"the download of data set {name!r} holds no {name}.inter")
        for suffix in suffixes:
            if work.target(suffix).exists():
                raise DataError(
                    f"{work.target(suffix)} would be replaced by the download of {name!r}; move "
                    f"it away, or put {name}.inter beside it by hand"
                )
        work.publish(*suffixes)


def is_bundled(name: str) -> bool:
    """Whether RecBole's package has a data set."""
    return (BUNDLED / name / f"{name}.inter").is_file()


def copy_bundled(name: str, folder: Path) -> None:
    """Copy the files of a data set that RecBole's package has to a folder."""
    for file in (BUNDLED / name).glob(f"{name}.*"):
        shutil.copyfile(file, folder / file.name)


def can_be_downloaded(name: str) -> bool:
    """Whether RecBole knows where a data set is."""
    return name in _addresses()


def download(name: str, folder: Path) -> None:
    """Download a data set as RecBole's own data sets do (dataset.py, ``_download``).

    Raises
    ------
    OSError, RuntimeError
        If there is no network, or what comes is broken.
    EOFError
        If nobody answers whether more than 1 GB is wanted, or it is not.
    """
    asker = SimpleNamespace(
        config={"local_rank": 0},
        logger=getLogger(),
        dataset_name=name,
        dataset_path=str(folder),
        _get_download_url=lambda file: _addresses()[name],
    )
    try:
        Dataset._download(asker)
    except SystemExit:
        raise EOFError("it was not wanted") from None


@cache
def _addresses() -> dict[str, str]:
    """Give where RecBole finds data sets, by name."""
    addresses: dict[str, str] = read_yaml(RECBOLE_PROPERTIES / "dataset" / "url.yaml", DataError)
    return addresses

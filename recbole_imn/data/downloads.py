"""Data sets that RecBole downloads, or has in its package, put in their place on first use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from logging import Logger
from pathlib import Path

import recbole

from recbole_imn.data.publishing import Workspace, settle
from recbole_imn.errors import DataError

TMALL = "tmall"
# RecBole has this log in two parts, one an action, under these names.
TMALL_PARTS = ("tmall-click-not-merged", "tmall-buy-not-merged")
# What comes with RecBole itself: ml-100k.
BUNDLED = Path(recbole.__file__).parent / "dataset_example"
Download = Callable[[str, Path], None]


def make_tmall(folder: Path, download: Download, logger: Logger) -> None:
    """Download the two parts of the Tmall log and merge them into one.

    Parameters
    ----------
    folder : Path
        Where the merged files go; the parts go beside it, and are used if they are there.
    download : callable
        Downloads a data set of RecBole, by name, to a folder.
    logger : Logger
        Told what happens.

    Raises
    ------
    DataError
        If a part can be neither found nor downloaded, or its file is no such log.
    """
    # polars is loaded here, and not by every training.
    from recbole_imn.data.convert import ijcai16
    from recbole_imn.data.convert.engine import convert

    files = [folder.parent / name / f"{name}.inter" for name in TMALL_PARTS]
    for name, file in zip(TMALL_PARTS, files, strict=True):
        settle(file.parent, name)
        if file.is_file():
            continue
        try:
            download_set(file.parent, name, download)
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"data set {name!r} could not be downloaded ({error}); without a network, put "
                f"{file} there by hand, or convert the contest's file: "
                "python -m recbole_imn convert ijcai16 --help"
            ) from error
    logger.info(convert(ijcai16.read(files), folder.parent, folder.name).text())


def download_set(folder: Path, name: str, download: Download) -> None:
    """Download a data set of RecBole, of which all files or none will be there.

    Parameters
    ----------
    folder : Path
        The data set's own folder.
    name : str
        Name of the data set.
    download : callable
        Downloads a data set of RecBole, by name, to a folder.

    Raises
    ------
    DataError
        If the download has no log, or a file in the folder would be replaced.
    """
    with Workspace(folder, name) as work:
        download(name, work.scratch)
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

"""Data sets that are made from RecBole's own downloads on first use."""

from __future__ import annotations

from collections.abc import Callable
from logging import Logger
from pathlib import Path

from recbole_imn.data.atomic import DataError

TMALL = "tmall"
# RecBole has this log in two parts, one an action, under these names.
TMALL_PARTS = ("tmall-click-not-merged", "tmall-buy-not-merged")
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
        if file.is_file():
            continue
        try:
            download(name, file.parent)
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"data set {name!r} could not be downloaded ({error}); without a network, put "
                f"{file} there by hand, or convert the contest's file: "
                "python -m recbole_imn convert ijcai16 --help"
            ) from error
    logger.info(convert(ijcai16.read(files), folder.parent, folder.name).text())

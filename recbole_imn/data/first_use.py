"""Data sets that are made on first use: simulated, RecBole's own, or from its downloads."""

from __future__ import annotations

from logging import Logger
from pathlib import Path

from recbole_imn.data.downloads import (
    TMALL,
    Download,
    copy_bundled,
    download_set,
    is_bundled,
    make_tmall,
)
from recbole_imn.data.publishing import settle
from recbole_imn.data.simulated import is_simulated, make_simulated, nearest_data_set
from recbole_imn.errors import DataError


def provide(folder: Path, name: str, logger: Logger, download: Download | None = None) -> None:
    """See that a data set is there, whole: finish what was broken off, make what is missing.

    Parameters
    ----------
    folder : Path
        The data set's own folder.
    name : str
        Name of the data set.
    logger : Logger
        Told what happens.
    download : callable, optional
        Downloads a data set of RecBole, by name, to a folder; None where nobody does.

    Raises
    ------
    DataError
        If there is no such data set, or it cannot be made.
    """
    settle(folder, name)
    if (folder / f"{name}.inter").is_file():
        return
    if is_simulated(name):
        make_simulated(name, folder, logger)
    elif is_bundled(name):
        logger.info(f"{name} comes with RecBole; a copy goes to {folder}")
        download_set(folder, name, copy_bundled)
    elif download is None:
        raise DataError(
            f"data set {name!r} not found: {folder / name}.inter does not exist"
            f"{nearest_data_set(name, folder.parent)}; put it there or name its parent folder "
            "with --data_path=DIR"
        )
    elif name == TMALL:
        make_tmall(folder, download, logger)
    else:
        download_set(folder, name, download)

"""Data sets that are made on first use: simulated, RecBole's own, or from its downloads."""

from __future__ import annotations

from logging import Logger
from pathlib import Path

from recbole_imn.data import downloads
from recbole_imn.data.publishing import settle
from recbole_imn.data.simulated import is_simulated, make_simulated, nearest_data_set
from recbole_imn.errors import DataError


def provide(folder: Path, name: str, logger: Logger) -> None:
    """See that a data set is there, whole: finish what was broken off, make what is missing.

    Parameters
    ----------
    folder : Path
        The data set's own folder.
    name : str
        Name of the data set.
    logger : Logger
        Told what happens.

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
    elif downloads.is_bundled(name):
        logger.info(f"{name} comes with RecBole; a copy goes to {folder}")
        downloads.fetch(folder, name, downloads.copy_bundled)
    elif name == downloads.TMALL:
        downloads.make_tmall(folder, logger)
    elif downloads.can_be_downloaded(name):
        downloads.fetch(folder, name, downloads.download)
    else:
        raise DataError(
            f"data set {name!r} not found: {folder / name}.inter does not exist"
            f"{nearest_data_set(name, folder.parent)}; put it there or name its parent folder "
            "with --data_path=DIR"
        )

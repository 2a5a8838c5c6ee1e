"""Image vectors of items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from recbole_imn.errors import DataError

# As in properties/stream.yaml.
IMAGE_WIDTH = 32

Matrix = npt.NDArray[np.float64]


def read_images(path: Path, width: int) -> tuple[pl.DataFrame, str]:
    """Read image vectors, as they are: a conversion does not know what training will see.

    The data set keeps principal components of its training part (``reduced_features``).

    Parameters
    ----------
    path : Path
        A folder with a vector ``ITEM.npy`` an item, or a matrix ``X.npy`` with a row an item
        and ``X.ids.txt`` beside it with an item id a line.
    width : int
        Components that training is to keep.

    Returns
    -------
    DataFrame
        ``item_id`` and ``image`` (str: numbers with six digits, separated by spaces).
    str
        What a user should know of them.

    Raises
    ------
    DataError
        If there are no vectors, or they do not fit together, or are not finite.
    """
    if width < 1:
        raise DataError(f"--image-width is {width}; it must be 1 or above")
    ids, vectors = _read_folder(path) if path.is_dir() else _read_matrix(path)
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise DataError(f"{path}: the image vector of item {ids[row]!r} holds NaN or infinity")
    text = [" ".join(f"{value:.6g}" for value in row) for row in vectors.tolist()]
    return pl.DataFrame({"item_id": ids, "image": text}), _note(vectors.shape[1], width)


def _note(n_numbers: int, width: int) -> str:
    """Say what becomes of the vectors, and what to set for another width."""
    if n_numbers <= width:
        return f"image holds the vectors as they are, {n_numbers} numbers an item"
    setting = "" if width == IMAGE_WIDTH else f"; train with reduced_features: {{image: {width}}}"
    return (
        f"image holds the vectors as they are, {n_numbers} numbers an item, of which training "
        f"keeps {width} components that are found in its own part{setting}"
    )


def _load(path: Path) -> Matrix:
    try:
        return np.asarray(np.load(path, allow_pickle=False), np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is no array of numbers in numpy's .npy format") from error


def _read_folder(folder: Path) -> tuple[list[str], Matrix]:
    files = sorted(folder.glob("*.npy"))
    if not files:
        raise DataError(f"{folder} has no files ITEM.npy with image vectors")
    vectors = [_load(file).reshape(-1) for file in files]
    for file, vector in zip(files, vectors, strict=True):
        if len(vector) != len(vectors[0]):
            raise DataError(
                f"{file} has {len(vector)} numbers, but {files[0].name} has {len(vectors[0])}"
            )
    return [file.stem for file in files], np.stack(vectors)


def _read_matrix(path: Path) -> tuple[list[str], Matrix]:
    names = path.with_suffix(".ids.txt")
    for file in (path, names):
        if not file.is_file():
            raise DataError(f"{file}: no such file; image vectors are X.npy with ids in X.ids.txt")
    vectors = _load(path)
    ids = [line.strip() for line in names.read_text(encoding="utf-8").splitlines()]
    for place, item in enumerate(ids, start=1):
        if not item or "\t" in item:
            raise DataError(f"{names}, line {place}: {item!r} is no item id")
    if vectors.ndim != 2 or len(ids) != len(vectors) or len(set(ids)) != len(ids):
        raise DataError(
            f"{path} has shape {vectors.shape} and {names.name} has {len(set(ids))} distinct ids; "
            "there must be a row an id"
        )
    return ids, vectors

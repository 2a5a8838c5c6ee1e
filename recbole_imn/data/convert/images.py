"""Image vectors of items, reduced by principal components."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from recbole_imn.data.atomic import DataError

Matrix = npt.NDArray[np.float64]


def read_images(path: Path, width: int) -> pl.DataFrame:
    """Read image vectors and reduce them.

    Parameters
    ----------
    path : Path
        A folder with a vector ``ITEM.npy`` an item, or a matrix ``X.npy`` with a row an item
        and ``X.ids.txt`` beside it with an item id a line.
    width : int
        Components to keep; narrower vectors are only centred and turned.

    Returns
    -------
    DataFrame
        ``item_id`` and ``image`` (str: numbers with four decimals, separated by spaces).

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
    reduced = principal_components(vectors, width)
    text = [" ".join(f"{value:.4f}" for value in row) for row in reduced.tolist()]
    return pl.DataFrame({"item_id": ids, "image": text})


def principal_components(vectors: Matrix, width: int) -> Matrix:
    """Project vectors on their first principal components.

    Parameters
    ----------
    vectors : float64 [n, n_features]
    width : int

    Returns
    -------
    float64 [n, min(width, n_features)]
        Ordered by variance; each component's largest weight is positive.
    """
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :width]
    largest = np.abs(axes).argmax(axis=0)
    signs = np.sign(axes[largest, np.arange(axes.shape[1])])
    projected: Matrix = centred @ (axes * signs)
    return projected


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

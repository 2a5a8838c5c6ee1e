"""Dropout of some rows of a batch as one process would drop them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional

from recbole_imn.errors import SettingsError


@contextmanager
def masks_of_whole_batch(rows: slice, n: int) -> Iterator[None]:
    """Draw masks for a whole batch meanwhile, and take the rows that are there.

    Every process draws the same, so that their random states stay the same, and those of one
    process. Rows come first in what is dropped, or several places of each row.

    Parameters
    ----------
    rows : slice
        Those that are computed.
    n : int
        Rows of the batch.

    Raises
    ------
    SettingsError
        Where something is dropped whose rows cannot be told.
    """
    original: Callable[..., Tensor] = functional.dropout

    def dropout(
        input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        if not training or p == 0:
            return original(input, p, training, inplace)
        n_own = rows.stop - rows.start
        places, rest = divmod(len(input), n_own)
        if rest:
            raise SettingsError(
                f"dropout is {p}, but the model drops out of {len(input)} places of {n_own} rows, "
                "which tells nobody what is whose; train it on one process, or without dropout"
            )
        whole = torch.ones((n * places, *input.shape[1:]), dtype=input.dtype, device=input.device)
        mask = original(whole, p, True, False)[rows.start * places : rows.stop * places]
        return input.mul_(mask) if inplace else input * mask

    functional.dropout = dropout
    try:
        yield
    finally:
        functional.dropout = original

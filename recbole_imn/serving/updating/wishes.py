"""What an update is to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from recbole_imn.errors import DataError
from recbole_imn.serving.policies import Repeated

Keep = Literal["better", "new", "old"]
Since = Literal["new", "trained"]


@dataclass(frozen=True)
class Wishes:
    """What an update is to do.

    Attributes
    ----------
    settings : mapping
        Columns of the files and how they are written, as ``convert`` takes them.
    items : Path or None
        A table of items.
    duplicates : {'drop', 'accept', 'refuse'}
        For an event equal to one before in user, item, time and behaviour.
    train : bool
        Whether to go on training.
    epochs : int
    since : {'new', 'trained'}
        Whether to learn from the new events, or from all that the weights have not seen.
    validation : float
        Share of the new events, the last ones, that old and new weights are judged by.
    keep : {'better', 'new', 'old'}
        Which weights to keep; 'better' keeps the new ones unless they are worse.
    progress : bool
        Whether to show bars.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    items: Path | None = None
    duplicates: Repeated = "drop"
    train: bool = False
    epochs: int = 1
    since: Since = "new"
    validation: float = 0.1
    keep: Keep = "better"
    progress: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be done.

        Raises
        ------
        DataError
        """
        if not 0 < self.validation < 1:
            raise DataError(f"--validation is {self.validation}; it is a share, between 0 and 1")
        if self.epochs < 1:
            raise DataError(f"--epochs is {self.epochs}; it must be 1 or more")

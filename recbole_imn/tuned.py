"""Files of settings that tuning found, which tell of their search beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recbole_imn.errors import SettingsError
from recbole_imn.settings_files import read_settings

# The key of a file of settings under which the search tells of itself.
TUNING = "tuning"
FOLDER = Path("tuned")
# Characters of a fingerprint that tell it from another one.
SHORT = 15


@dataclass(frozen=True)
class Tuned:
    """What a file of tuned settings holds; empty without one.

    Attributes
    ----------
    file : str
        Its name; empty without one.
    settings : dict
    tuning : dict
        The budget and what came of it, as :func:`recbole_imn.tuning.result.facts` gives it.
        Empty where somebody wrote the file.
    """

    file: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    tuning: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Tuned:
        """Read any file of settings; what it tells of a search is no setting."""
        settings = read_settings(file)
        tuning = settings.pop(TUNING, None) or {}
        return cls(str(file), settings, tuning)


def read_tuned(file: Path, fingerprint: str, other_data: bool = False) -> Tuned:
    """Read the settings of a model, if there is such a file.

    Parameters
    ----------
    file : Path
    fingerprint : str
        Of the data set that they are to be used on.
    other_data : bool
        Whether they may have been found on other data.

    Raises
    ------
    SettingsError
        If the file holds none, as an emptied one would pass as no file, or they were found on
        other data.
    """
    if not file.is_file():
        return Tuned()
    found = Tuned.read(file)
    if not (found.settings or found.tuning):
        raise SettingsError(f"{file} holds no settings; tune again, or remove it")
    if not other_data:
        require_same_data(file, found.tuning, fingerprint, "--other_data")
    return found


def require_same_data(file: Path, tuning: Mapping[str, Any], fingerprint: str, way: str) -> None:
    """Refuse settings that were found on other data.

    Parameters
    ----------
    file : Path
        Of the settings.
    tuning : mapping
        What it tells of their search; nothing is refused where it names no data.
    fingerprint : str
        Of the data that they are to be used on.
    way : str
        The option that lets them be used all the same.

    Raises
    ------
    SettingsError
    """
    if other := other_data_of(tuning, fingerprint):
        raise SettingsError(
            f"{file} was tuned on other data ({other}, not {fingerprint[:SHORT]}); tune "
            f"again, or use it all the same with {way}"
        )


def other_data_of(tuning: Mapping[str, Any], fingerprint: str) -> str:
    """Give the fingerprint of the data of a search, cut short; empty where they are these.

    Parameters
    ----------
    tuning : mapping
        What is told of the search; without ``data`` they are taken to be these.
    fingerprint : str
    """
    data = str(tuning.get("data", fingerprint))
    return "" if data == fingerprint else data[:SHORT]

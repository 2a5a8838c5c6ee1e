"""RecBole's settings of data that mean nothing for a log read as one stream."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from recbole_imn.model.settings import SettingsError

IDS = ("USER_ID_FIELD", "ITEM_ID_FIELD", "TIME_FIELD")
KEEP = (None, "first", "last")


def check_data_settings(config: Any) -> None:
    """Refuse settings that would be ignored, or would change the log behind one's back.

    Parameters
    ----------
    config : recbole.config.Config

    Raises
    ------
    SettingsError
    """
    _check_names(config)
    if config["benchmark_filename"] is not None:
        raise SettingsError(
            f"benchmark_filename is {config['benchmark_filename']}, but a log read as one stream "
            "is a single file NAME.inter that eval_args cut in time; join the files, or set "
            "event_stream: False for a model of RecBole"
        )
    if config["threshold"] is not None:
        raise SettingsError(
            f"threshold is {config['threshold']}, but every event of a stream is a target and "
            "none has a label; leave events out with val_interval, or set event_stream: False "
            "for a model of RecBole"
        )
    if config["rm_dup_inter"] not in KEEP:
        raise SettingsError(f"rm_dup_inter is {config['rm_dup_inter']!r}; it must be first or last")
    if config["eval_args"]["order"] != "TO":
        raise SettingsError(
            f"eval_args order is {config['eval_args']['order']}; sequences need order: TO, by time"
        )
    if config["normalize_field"] and config["normalize_all"]:
        raise SettingsError("normalize_field and normalize_all are both set; use one of them")


def check_external(settings: Mapping[str, Any]) -> None:
    """Refuse settings of a stream that RecBole's Config would refuse without a line for people.

    Raises
    ------
    SettingsError
    """
    if settings.get("repeatable") is False:
        raise SettingsError(
            "repeatable is False, but on a stream an item may come back and every item is "
            "ranked; leave it out"
        )


def check_unused(config: Any, loaded: Mapping[str, Collection[str]]) -> None:
    """Refuse ``unused_col`` where it names what is not there, or what rows are made of.

    Parameters
    ----------
    config : recbole.config.Config
    loaded : mapping of str to collection of str
        The columns of each file that was loaded.

    Raises
    ------
    SettingsError
    """
    needed = {config[key] for key in IDS}
    for name in config["unused_col"] or {}:
        columns = columns_setting(config, "unused_col", name) or set()
        wrong = sorted(columns & needed) or sorted(columns - set(loaded.get(name, ())))
        if wrong:
            raise SettingsError(
                f"unused_col names {wrong} of .{name}, which a log needs, or which was not loaded"
            )


def _check_names(config: Any) -> None:
    """Refuse names of columns that are missing or the same."""
    names = [config[key] for key in IDS]
    for key, name in zip(IDS, names, strict=True):
        if not isinstance(name, str):
            raise SettingsError(f"{key} is {name!r}; it must be the name of a column")
        if names.count(name) > 1:
            raise SettingsError(f"{key} is {name!r}, as is another of {', '.join(IDS)}")
    if config["LABEL_FIELD"] in names:
        raise SettingsError(f"LABEL_FIELD is {config['LABEL_FIELD']!r}, an id or the time")


def columns_setting(config: Any, key: str, name: str) -> set[str] | None:
    """Give the columns that ``load_col`` or ``unload_col`` name of a file; None for no limit.

    Parameters
    ----------
    config : recbole.config.Config
    key : str
    name : str
        The file's suffix.

    Raises
    ------
    SettingsError
        If there is something else.
    """
    setting = config[key]
    if setting is None:
        return None
    if not isinstance(setting, dict):
        raise SettingsError(f"{key} is {setting!r}; it must be columns by file: {{inter: [...]}}")
    columns = setting.get(name, [])
    if columns == "*" and key == "load_col":
        return None
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise SettingsError(f"{key} for .{name} is {columns!r}; it must be a list of columns")
    return set(columns)

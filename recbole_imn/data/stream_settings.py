"""RecBole's settings of data that mean nothing for a log read as one stream."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from multiprocessing import get_all_start_methods, get_start_method
from typing import Any

from recbole_imn.errors import SettingsError

# Field of the vectors that convert --images writes.
IMAGE = "image"


def check_data_settings(config: Any) -> None:
    """Refuse settings that would be ignored, or would change the log behind one's back.

    Parameters
    ----------
    config : recbole.config.Config

    Raises
    ------
    SettingsError
    """
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
    # The first is what a program gets that chooses none.
    start = get_start_method(allow_none=True) or get_all_start_methods()[0]
    if config["worker"] and start != "fork":
        raise SettingsError(
            f"worker is {config['worker']}, but processes are started by {start} here, and rows of "
            "a stream can be handed to forked ones alone; leave it out"
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
    needed = {config[key] for key in ("USER_ID_FIELD", "ITEM_ID_FIELD", "TIME_FIELD")}
    for name in config["unused_col"] or {}:
        columns = columns_setting(config, "unused_col", name) or set()
        wrong = sorted(columns & needed) or sorted(columns - set(loaded.get(name, ())))
        if wrong:
            raise SettingsError(
                f"unused_col names {wrong} of .{name}, which a log needs, or which was not loaded"
            )


def reduced_fields(config: Any, kinds: Mapping[str, Any], kept: Collection[str]) -> dict[str, int]:
    """Give the fields of ``reduced_features`` that are loaded, and their widths.

    Parameters
    ----------
    config : recbole.config.Config
    kinds : mapping of str to FeatureType
        The types of the fields that are loaded.
    kept : collection of str
        Fields that must stay as they are.

    Raises
    ------
    SettingsError
        If a field is not there or holds no features of that kind, or a width is none.
    """
    wanted = dict(config["reduced_features"] or {})
    if IMAGE not in kinds or kinds[IMAGE].value != "float_seq":
        # Named without being asked for: most data sets have no such vectors.
        wanted.pop(IMAGE, None)
    for field, width in wanted.items():
        if type(width) is not int or width < 1:
            raise SettingsError(f"reduced_features has {width!r} for {field}; a width is 1 or more")
        if field in kept:
            raise SettingsError(
                f"reduced_features names {field!r}, which the stream needs as it is"
            )
        if field not in kinds or kinds[field].value != "float_seq":
            reason = kinds[field].value if field in kinds else "no column that was loaded"
            raise SettingsError(
                f"reduced_features names {field!r}, which is {reason}; sequences of numbers, of "
                "type float_seq, can be reduced"
            )
    return wanted


def columns_setting(config: Any, key: str, name: str) -> set[str] | None:
    """Give the columns that ``load_col`` or ``unload_col`` name of a file; None for no limit.

    Parameters
    ----------
    config : recbole.config.Config
    key : str
    name : str
        The file's suffix.
    """
    setting = config[key]
    columns = None if setting is None else setting.get(name, [])
    return None if columns in (None, "*") else set(columns)

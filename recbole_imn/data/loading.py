"""Atomic files as RecBole's frames: what is read, what is left out, and what is refused."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from recbole.data.dataset import SequentialDataset
from recbole.utils.enum_type import FeatureSource, FeatureType

from recbole_imn.data.atomic import check_type, line_at, read_columns, read_header
from recbole_imn.data.columnwise import read_frame
from recbole_imn.data.filters import Filtered
from recbole_imn.data.first_rows import first_rows_of_each
from recbole_imn.data.first_use import provide
from recbole_imn.data.log_file import LogFile
from recbole_imn.data.numbers import check_numbers, split_numbers
from recbole_imn.data.origin import odd_times
from recbole_imn.data.publishing import reading
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.data.stays import DELISTED
from recbole_imn.data.stream_settings import check_data_settings, check_unused, columns_setting
from recbole_imn.data.token_ids import TokenIds
from recbole_imn.errors import DataError, SettingsError
from recbole_imn.files import read_yaml
from recbole_imn.registry import PROPERTIES
from recbole_imn.validation import nearest


class AtomicDataset(Filtered, TokenIds, SequentialDataset):  # type: ignore[misc]  # RecBole is untyped
    """A sequential data set whose files are read exactly, in order of time.

    Ids and times are loaded whatever ``load_col`` says: a log is nothing without them.
    """

    inter_feat: Any  # a DataFrame while loading, an Interaction of rows afterwards

    def __init__(self, config: Any) -> None:
        check_data_settings(config)
        super().__init__(config)

    # -- files -----------------------------------------------------------------------------

    def _load_data(self, token: str, dataset_path: str) -> None:
        """Load atomic files, all of one set; some data sets are made on first use."""
        folder = Path(dataset_path)
        provide(folder, token, self.logger)
        with reading(folder, token):
            notice = simulated_notice(folder, token)
            if notice:
                self.logger.warning(notice)
            super()._load_data(token, dataset_path)
        sequences = [field for field, kind in self.field2type.items() if "seq" in kind.value]
        for field in self.config["seq_len"] or {}:
            if field not in sequences:
                raise SettingsError(
                    f"seq_len names {field!r}, which is no column of sequences that was loaded"
                    f"{nearest(field, sequences)}"
                )

    def file(self, source: FeatureSource | str) -> Path:
        """Give the path of an atomic file, such as ``NAME.item``."""
        suffix = source.value if isinstance(source, FeatureSource) else source
        return Path(self.dataset_path) / f"{self.dataset_name}.{suffix}"

    def header(self, source: FeatureSource | str) -> dict[str, str]:
        """Read the fields of an atomic file and their types."""
        return read_header(self.file(source), *self._format)

    def line_of(self, source: FeatureSource | str, field: str, value: float) -> int:
        """Find the first line of a file that has a number in a field, to float32; 0 for none."""
        path, header = self.file(source), self.header(source)
        cells = read_columns(path, header, [field], *self._format)[field]
        numbers = list(cells)
        if header[field] == "float_seq":
            numbers = list(split_numbers(path, cells, self.config["seq_separator"], None))
        for place, found in enumerate(numbers):
            if (np.asarray(found, np.float32) == np.float32(value)).any():
                return line_at(cells, place)
        return 0

    def _load_inter_feat(self, token: str, dataset_path: str) -> None:
        """Load and check the log, and sort it by exact time, ties in file order."""
        source = FeatureSource.INTERACTION
        path, header = self.file(source), self.header(source)
        file = LogFile(path, self.uid_field, self.iid_field, self.time_field, *self._format)
        fields = self._chosen(header, source)
        log = file.open(fields, self.logger.warning)
        for field in fields:
            self._register(field, FeatureType(header[field]), source)
            if header[field].endswith("seq"):
                cells = self._split_sequences(path, log[field])
                log[field] = pd.Series(cells, index=log.index, dtype=object)
        times = log[self.time_field].to_numpy()
        odd = odd_times(Path(self.dataset_path), self.dataset_name, times)
        if odd:
            self.logger.warning(f"{path}: {self.time_field} must be in seconds, but {odd}")
        self.inter_feat = log.reset_index(drop=True)

    def _load_user_or_item_feat(
        self, token: str, dataset_path: str, source: FeatureSource, field_name: str
    ) -> pd.DataFrame | None:
        """Load attributes of users or items, one row each (dataset.py, same name)."""
        path, field = self.file(source), getattr(self, field_name)
        frame = None
        if path.is_file() and self._get_load_and_unload_col(source)[0] != set():
            header = self.header(source)
            if field not in header:
                raise DataError(
                    f"{path}: no column {field}; the header has {list(header)}, and without an "
                    "id nobody knows whose attributes these are"
                )
            check_type(path, header, field, "token")
            loaded = self._load_feat(str(path), source)
            assert loaded is not None  # the id is always loaded
            frame = self._one_row_each(path, loaded, field)
        if field in self.field2source:
            self.field2source[field] = FeatureSource(f"{source.value}_id")
        return frame

    def _one_row_each(self, path: Path, frame: pd.DataFrame, field: str) -> pd.DataFrame:
        """Keep the first row of each id, as RecBole does, but say so."""
        if frame.empty:
            raise DataError(f"{path}: a header but no rows; remove the file or fill it")
        first_rows, repeated = first_rows_of_each(path, frame, field)
        if repeated:
            self.logger.warning(repeated)
        return first_rows

    def _load_additional_feat(self, token: str, dataset_path: str) -> None:
        for suffix in self.config["additional_feat_suffix"] or []:
            if not self.file(suffix).is_file():
                raise DataError(
                    f"additional_feat_suffix names {suffix!r}, but there is no {self.file(suffix)}"
                )
        super()._load_additional_feat(token, dataset_path)

    def _set_alias(self, alias_name: str, default_value: list[str]) -> None:
        """Refuse names of no ids, which RecBole overlooks (dataset.py, ``_init_alias``)."""
        key = f"alias_of_{alias_name}"
        # Those of additional files as well, which are not among RecBole's token_like_fields.
        tokens = [field for field, kind in self.field2type.items() if "token" in kind.value]
        for field in self.config[key] or []:
            if field not in tokens:
                raise SettingsError(
                    f"{key} names {field!r}, which is no column of tokens that was loaded (loaded: "
                    f"{', '.join(tokens)})"
                )
        super()._set_alias(alias_name, default_value)

    # -- columns ---------------------------------------------------------------------------

    def _load_feat(self, filepath: str, source: FeatureSource | str) -> pd.DataFrame | None:
        """Read an atomic file, with RecBole's bookkeeping (dataset.py, ``_load_feat``)."""
        path = Path(filepath)
        header = read_header(path, *self._format)
        fields = self._chosen(header, source)
        if not fields:
            return None
        frame = read_frame(path, header, fields, *self._format)
        for field in fields:
            self._register(field, FeatureType(header[field]), source)
            if header[field].endswith("seq"):
                cells = self._split_sequences(path, frame[field])
                frame[field] = pd.Series(cells, index=frame.index, dtype=object)
            elif header[field] == "float":
                check_numbers(path, frame[field])
        return frame

    def _chosen(self, header: dict[str, str], source: FeatureSource | str) -> list[str]:
        """Give the fields of a file that are loaded."""
        load, unload = self._get_load_and_unload_col(source)
        if self.config["load_col"] != _usual_columns():
            # What nobody has named, nobody can have mistyped.
            self._check_slips(header, load or set(), source)
        return [
            field
            for field in header
            if (load is None or field in load) and (unload is None or field not in unload)
        ]

    @staticmethod
    def _check_slips(header: dict[str, str], load: set[str], source: FeatureSource | str) -> None:
        """Refuse names that are nearly those of columns which would be left out.

        Settings may name more columns than a log has.
        """
        others = [field for field in header if field not in load]
        for field in sorted(load - header.keys()):
            hint = nearest(field, others)
            if hint:
                raise SettingsError(
                    f"load_col names {field!r}, which .{_name(source)} does not have{hint}"
                )

    @property
    def _format(self) -> tuple[str, str]:
        """Separator and encoding of the atomic files."""
        return self.config["field_separator"], self.config["encoding"] or "utf-8"

    def _get_load_and_unload_col(
        self, source: FeatureSource | str
    ) -> tuple[set[str] | None, set[str] | None]:
        """Give what to load and what not (dataset.py, same name); None for no limit.

        Raises
        ------
        SettingsError
            If a needed column is left out.
        """
        name = _name(source)
        load = columns_setting(self.config, "load_col", name)
        unload = columns_setting(self.config, "unload_col", name)
        needed = self._needed_columns(name)
        if unload and needed & unload:
            raise SettingsError(
                f"unload_col leaves {sorted(needed & unload)} of .{name} out, which a log needs"
            )
        if load or (load is not None and name == FeatureSource.INTERACTION.value):
            load = load | needed
        return load, unload or None

    def _needed_columns(self, name: str) -> set[str]:
        user, item = self.uid_field, self.iid_field
        ids = {"inter": {user, item, self.time_field}, "item": {item}, "user": {user}}
        return ids.get(name, set())

    def _drop_unused_col(self) -> None:
        frames = {name.removesuffix("_feat"): getattr(self, name) for name in self.feat_name_list}
        check_unused(self.config, {name: list(frame) for name, frame in frames.items()})
        super()._drop_unused_col()

    def _register(self, field: str, field_type: FeatureType, source: FeatureSource | str) -> None:
        self._refuse_second(field, field_type, source)
        self.field2source[field], self.field2type[field] = source, field_type
        self.field2seqlen[field] = 1
        if "float" in field_type.value:
            self.field2bucketnum[field] = 2

    def _refuse_second(
        self, field: str, field_type: FeatureType, source: FeatureSource | str
    ) -> None:
        """Refuse a column of two files where one would be taken for the other.

        A number of the log beside one of the item passes, as long as the log's is not read.
        """
        other = self.field2source.get(field)
        sources = (FeatureSource.INTERACTION, FeatureSource.ITEM, FeatureSource.USER)
        if field in (self.uid_field, self.iid_field) or other == source or other not in sources:
            return
        is_read = field in (*self.names("event_features"), *self.names("inventory_features"))
        are_tokens = "token" in field_type.value or "token" in self.field2type[field].value
        if is_read or are_tokens:
            raise DataError(
                f"both .{_name(other)} and .{_name(source)} have a column {field!r}, and one would "
                "be taken for the other; rename one of them, or leave one out of load_col"
            )

    def _split_sequences(self, path: Path, column: pd.Series[Any]) -> list[npt.NDArray[Any]]:
        """Split the cells of a sequence field; an empty cell is an empty sequence."""
        field = str(column.name)
        limit = (self.config["seq_len"] or {}).get(field)
        separator = self.config["seq_separator"]
        kept: list[npt.NDArray[Any]]
        if self.field2type[field] == FeatureType.FLOAT_SEQ:
            kept = list(split_numbers(path, column, separator, limit, field == DELISTED))
        else:
            parts = [str(cell).split(separator) for cell in column.fillna("")]
            kept = [np.array([v for v in values if v][:limit], np.str_) for values in parts]
        self.field2seqlen[field] = max(map(len, kept), default=0)
        return kept

    def names(self, key: str) -> list[str]:
        """Give a setting that is a list of fields; one field may stand alone."""
        fields: Collection[str] = self.config[key] or []
        return [fields] if isinstance(fields, str) else list(fields)


@cache
def _usual_columns() -> Any:
    """Give the columns that are loaded where nobody names any."""
    return read_yaml(PROPERTIES / "stream.yaml", SettingsError)["load_col"]


def _name(source: FeatureSource | str) -> str:
    """Give the ending of a file."""
    return str(source.value if isinstance(source, FeatureSource) else source)

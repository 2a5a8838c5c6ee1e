"""The data set of a study: read once, and given to every trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole.config import Config
from recbole.data import create_dataset
from recbole.utils import argument_list, init_seed

from recbole_imn import preparation, registry
from recbole_imn.data.searched import validation_ends
from recbole_imn.settings_files import keys_of

# Settings of single models that their data sets look at.
_OF_MODELS = ("selected_features", "numerical_features", "item_attribute", "n_layers")


def read_from_data() -> frozenset[str]:
    """Give the settings that the rows of a data set may depend on."""
    stream = keys_of([registry.PROPERTIES / "stream.yaml"])
    return frozenset({*argument_list.dataset_arguments, *stream, *_OF_MODELS})


class StudyData:
    """Reads a data set anew only where a trial changes what is read of it.

    A trial's bits are those that it would have had with a data set of its own: loaders are
    made for each trial, and random numbers begin anew behind the reading.
    """

    def __init__(self) -> None:
        self._shaping = read_from_data()
        self._key: dict[str, Any] | None = None
        self._dataset: Any = None

    @property
    def validation_ends(self) -> float | None:
        """The time of the last event that the latest trial's validation may rank."""
        return None if self._dataset is None else validation_ends(self._dataset)

    def read(self, config: Config, values: Mapping[str, Any]) -> Any:
        """Give the data set of a trial, which is read if it is not at hand.

        Parameters
        ----------
        config : Config
        values : mapping
            Settings of the trial in which the config differs from those of other trials.

        Returns
        -------
        StreamDataset
        """
        key = {name: value for name, value in values.items() if name in self._shaping}
        if self._dataset is None or key != self._key:
            self._dataset, self._key = _read(config), key
        for one in (self._dataset, *self._dataset.build()):
            one.config = config
        return self._dataset


def _read(config: Config) -> Any:
    """Read a data set, and cut it into parts once for all trials."""
    with preparation.no_options():
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
    parts = dataset.build()
    dataset.build = lambda: parts
    return dataset

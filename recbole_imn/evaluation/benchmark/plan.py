"""What a benchmark runs: models, seeds and their settings, each run with an identity."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recbole_imn import own_models, registry
from recbole_imn.compat import model_names
from recbole_imn.data.item_fields import (
    FEATURE_AWARE,
    dataset_settings,
    feature_settings,
    selected_features,
)
from recbole_imn.data.searched import VALIDATION_ENDS
from recbole_imn.errors import UnknownModelError
from recbole_imn.evaluation.benchmark.refusals import refuse_options, require_ranking
from recbole_imn.evaluation.protocols import (
    STANDARD,
    Protocol,
    can_be_asked,
    protocol_of,
    require_model,
    require_no_contradiction,
)
from recbole_imn.evaluation.systems import model_of, parse_system
from recbole_imn.settings_files import check_known, known_keys
from recbole_imn.tuned import FOLDER, Tuned, other_data_of, read_tuned

BUILT_IN = ("FPMC", "SASRec", "GRU4Rec", "NextItNet")
TRIVIAL = ("Popularity", "LastItem", "RecentHistory", "SessionKNN")
# Everything of ours that somebody else proposed.
BASELINES = (*BUILT_IN, *FEATURE_AWARE, *TRIVIAL, "JODIE", *registry.STRONG_BASELINES)
LABELS = {"ESASRec": "eSASRec", "Popularity": "Pop", "IMNNetStar": "IMN-Net*", "IMNNet": "IMN-Net"}
WIDTH = 128
# Items of a history that models of RecBole see at most.
HISTORY = 50
CANDIDATES = {"all": ("all",), "on_shelf": ("on_shelf",), "both": ("all", "on_shelf")}


@dataclass(frozen=True)
class Run:
    """One model with one seed.

    Attributes
    ----------
    model, dataset : str
    seed : int
    settings : dict
        What is given to RecBole beside its property files.
    protocols : tuple of str
        ``all``, ``on_shelf`` or both: candidates in the test. The first one is used for
        early stopping as well. The name is that of result files; what is compared by whom is
        :attr:`protocol`.
    tuned : str
        File that settings were tuned in; empty where there is none.
    fingerprint : str
        Of the data set's files.
    dataset_settings : dict
        What ``dataset_configs/DATASET.yaml`` says, which RecBole reads by itself.
    tuning : dict
        What the file of tuned settings tells of their search.
    variant : str
        Settings that are switched against the model of that name, as a system's name has them.
    common : dict
        Those of ``settings`` that files gave for all systems.
    common_tuning : dict
        What these files tell of the searches that found them, by file; empty where they tell
        nothing.
    """

    model: str
    dataset: str
    seed: int
    settings: dict[str, Any]
    protocols: tuple[str, ...]
    tuned: str
    fingerprint: str
    dataset_settings: dict[str, Any]
    tuning: dict[str, Any] = field(default_factory=dict)
    variant: str = ""
    common: dict[str, Any] = field(default_factory=dict)
    common_tuning: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def validation_ends(self) -> float | None:
        """How far into this log any search for settings has looked, seconds; None if unknown.

        Times of other data mean nothing here.
        """
        searches = (self.tuning, *self.common_tuning.values())
        same = [told for told in searches if not other_data_of(told, self.fingerprint)]
        ends = (told.get(VALIDATION_ENDS) for told in same)
        return max((end for end in ends if end is not None), default=None)

    @property
    def system(self) -> str:
        """The model and its switches."""
        return f"{self.model} {self.variant}".rstrip()

    @property
    def name(self) -> str:
        """Name of the run's files."""
        return f"{re.sub(r'[^-+.=@A-Za-z0-9_]', '_', self.system)}-{self.seed}"

    @property
    def protocol(self) -> Protocol:
        """What the run is compared by."""
        return protocol_of(self.settings)

    @property
    def identity(self) -> str:
        """SHA-256 of everything that the result may depend on but code and machine.

        Not where the data lie: the fingerprint says what they are. Nor how settings were found.
        """
        parts = asdict(self)
        del parts["settings"]["data_path"], parts["tuning"]
        del parts["common"], parts["common_tuning"]
        if not self.variant:
            # A model without switches has no other identity than before there were any.
            del parts["variant"]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def all_models(dataset: str, folder: Path, protocol: Protocol = STANDARD) -> list[str]:
    """Give every system that can be compared on a data set, baselines first."""
    models = _all_models(dataset, folder)
    return [model for model in models if can_be_asked(protocol, model)]


def _all_models(dataset: str, folder: Path) -> list[str]:
    ours = [name for name in registry.MODELS if name not in BASELINES]
    aware = FEATURE_AWARE if selected_features(dataset, folder) else ()
    strong = (name for name in registry.STRONG_BASELINES if name not in TRIVIAL)
    return [*TRIVIAL, *BUILT_IN, *aware, "JODIE", *strong, *ours]


def check_models(systems: Sequence[str], dataset: str) -> None:
    """Refuse what cannot be compared, before anything runs.

    Parameters
    ----------
    systems : sequence of str
        Models, or models with switches.
    dataset : str

    Raises
    ------
    UnknownModelError
        With the names that nobody knows.
    SettingsError
        If a switch is no setting of its model.
    ValueError
        If there is none, if a model does not learn from sequences, and so not from the
        stream's rows, or if a caller's own class is where the process of a run cannot import it.
    """
    if not systems:
        raise ValueError("--models names no model; write for example --models=IMNNetPlus,SASRec")
    models = map(model_of, systems)
    unknown = [model for model in models if model not in model_names()]
    if unknown:
        known = ", ".join((*BUILT_IN, *FEATURE_AWARE, *registry.MODELS))
        raise UnknownModelError(
            f"--models names {', '.join(unknown)}, which nobody knows; there are {known} and "
            "RecBole's other sequential models"
        )
    for system in map(parse_system, systems):
        if not registry.is_sequential(system.model):
            raise ValueError(f"{system.model} is no sequential model; only those can be compared")
        own_models.import_names(system.model)
        keys = known_keys(system.model, dataset)
        check_known(system.switches, f"the system {system.name!r}", keys)


@dataclass(frozen=True)
class Conditions:
    """What is the same for all runs of a benchmark.

    Attributes
    ----------
    dataset : str
    folder : Path
        The folder of the data set itself.
    fingerprint : str
        Of its files.
    epochs : int
        At most; models that learn nothing keep their own.
    candidates : str
        ``all``, ``on_shelf`` or ``both``.
    common : mapping
        Settings for all models, stronger than every other but switches.
    tuned_folder : Path
        ``DATASET/MODEL.yaml`` in it holds what tuning found; None for defaults.
    protocol : Protocol
    other_data : bool
        Whether tuned settings may have been found on other data.
    common_tuning : mapping of str to dict
        What the files of ``common`` tell of the searches that found them.
    """

    dataset: str
    folder: Path
    fingerprint: str
    epochs: int
    candidates: str
    common: Mapping[str, Any]
    tuned_folder: Path | None = FOLDER
    protocol: Protocol = STANDARD
    other_data: bool = False
    common_tuning: Mapping[str, Any] = field(default_factory=dict)

    def tuned(self, model: str) -> Tuned:
        """Give the tuned settings of a model."""
        if self.tuned_folder is None:
            return Tuned()
        file = self.tuned_folder / self.dataset / f"{model}.yaml"
        tuned = read_tuned(file, self.fingerprint, self.other_data)
        refuse_options(tuned.settings, tuned.file)
        return tuned


def make_run(name: str, seed: int, given: Conditions) -> Run:
    """Put together the settings of a run.

    Parameters
    ----------
    name : str
        A model, or one with switches, such as ``IMNNet fusion=concat``. It has the model's tuned
        settings but for those.
    seed : int
    given : Conditions

    Raises
    ------
    SettingsError
        If settings contradict the protocol, or the model cannot be asked about all its rows.
        If tuned ones were found on other data, or set what the command has an option for. If
        ``eval_args`` is not one cut in time for all users with everything ranked.
    """
    system = parse_system(name)
    model, dataset, tuned = system.model, given.dataset, given.tuned(system.model)
    of_dataset = dataset_settings(dataset, given.folder)
    sources = {
        f"the settings of {dataset}": of_dataset,
        tuned.file: tuned.settings,
        f"the system {system.name!r}": system.switches,
    }
    for where, found in sources.items():
        require_ranking(found, where)
    candidates = CANDIDATES[given.candidates]
    settings = {
        "data_path": str(given.folder.parent),
        "event_stream": True,
        "seed": seed,
        "show_progress": False,
        "candidates": candidates[0],
        # RecBole rounds to 4 places by default; differences by ties would hide.
        "metric_decimal_place": 12,
        **({} if model in TRIVIAL else {"epochs": given.epochs}),
        **starting_settings(model, dataset, given.folder),
        **tuned.settings,
        **given.common,
        **system.switches,
        # Without its name for the standard one, whose runs have no other identity than before.
        **({} if given.protocol == STANDARD else {"protocol": given.protocol.name}),
    }
    require_model(given.protocol, model)
    require_no_contradiction(given.protocol, settings)
    return Run(
        model=model,
        dataset=dataset,
        seed=seed,
        settings=settings,
        protocols=candidates,
        tuned=tuned.file,
        fingerprint=given.fingerprint,
        dataset_settings=of_dataset,
        tuning=tuned.tuning,
        variant=system.variant,
        common=dict(given.common),
        common_tuning=dict(given.common_tuning),
    )


def starting_settings(model: str, dataset: str, folder: Path) -> dict[str, Any]:
    """Give the settings that a model begins with, before anything is tuned or asked for.

    Parameters
    ----------
    model, dataset : str
    folder : Path
        The folder of the data set itself.
    """
    return {
        **_paper_settings(model),
        **_own_settings(model, dataset, folder),
        **feature_settings(model, dataset, folder),
    }


def _own_settings(model: str, dataset: str, folder: Path) -> dict[str, Any]:
    """Give what was registered with a caller's model, which the process of a run cannot know.

    The data set's own settings win, as where RecBole reads both.
    """
    stronger = dataset_settings(dataset, folder)
    defaults = own_models.own_defaults(model)
    return {key: value for key, value in defaults.items() if key not in stronger}


def _paper_settings(model: str) -> dict[str, Any]:
    """Width 128, Adam 1e-3, batches of 256 and histories of 50 for models of RecBole.

    Ours have their files.
    """
    if registry.is_ours(model):
        return {}
    return {
        "embedding_size": WIDTH,
        "hidden_size": WIDTH,
        "learner": "adam",
        "learning_rate": 1e-3,
        "train_batch_size": 256,
        "MAX_ITEM_LIST_LENGTH": HISTORY,
    }

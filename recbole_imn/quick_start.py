"""RecBole's quick start for people: what is without effect is said, and no end is silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from logging import getLogger
from typing import Any

from recbole.config import Config
from recbole.quick_start import quick_start

from recbole_imn import own_models, registry
from recbole_imn.compat.views import replace
from recbole_imn.errors import SettingsError, StoppedError
from recbole_imn.processes import group
from recbole_imn.run_checks import reads_a_stream
from recbole_imn.settings_files import OF_LEARNING, all_keys, known_keys, own_keys

HISTORY = "MAX_ITEM_LIST_LENGTH"
# What only models read that are given no stream.
OF_OTHERS = {
    "preload_weight", "HEAD_ENTITY_ID_FIELD", "TAIL_ENTITY_ID_FIELD", "RELATION_ID_FIELD",
    "ENTITY_ID_FIELD",
}  # fmt: skip
# Whether a run is being made, and not one of many that share their settings.
_is_single = False


def mend() -> None:
    """Mend ``run_recbole`` and ``run`` (quick_start/quick_start.py); safe to call once."""
    run_one, run_several = quick_start.run_recbole, quick_start.run
    create: Callable[[Any], Any] = quick_start.create_dataset

    @wraps(run_one)
    def run_recbole(*arguments: Any, **named: Any) -> Any:
        with _one_run(), never_silent():
            return run_one(*arguments, **named)

    @wraps(run_several)
    def run(
        model: Any,
        dataset: Any,
        config_file_list: Any = None,
        config_dict: Any = None,
        saved: bool = True,
        nproc: int = 1,
        world_size: int = -1,
        **named: Any,
    ) -> Any:
        if nproc != 1 or world_size > 0:
            _refuse_several(Config(model, dataset, config_file_list, config_dict), nproc)
        several = {"nproc": nproc, "world_size": world_size, **named}
        return run_several(model, dataset, config_file_list, config_dict, saved, **several)

    @wraps(create)
    def create_dataset(config: Any) -> Any:
        if _is_single and group().writes and (unread := without_effect(config)):
            getLogger().warning(
                f"without effect, since {config['model']} does not read them: {', '.join(unread)}"
            )
        return create(config)

    replace(run_one, run_recbole)
    replace(run_several, run)
    # There alone: a benchmark makes data sets, too, with settings for several models.
    quick_start.create_dataset = create_dataset


def without_effect(config: Any) -> list[str]:
    """Give the settings of files, a program and the command line that a model does not read.

    A class of somebody's own may read any.

    Parameters
    ----------
    config : recbole.config.Config
    """
    model, is_ours = config.model, registry.is_ours(config.model)
    package = config.model_class.__module__.partition(".")[0]
    if package not in ("recbole", "recbole_imn") or not reads_a_stream(
        config, config.final_config_dict
    ):
        return []
    known = set(known_keys(model, config.dataset)) - OF_OTHERS
    if is_ours and HISTORY not in own_keys(model):
        known.discard(HISTORY)
    if "RecentHistory" in own_models.lineage(model):
        # Nothing is learned by steps; windows of events have a size all the same.
        known -= {*OF_LEARNING} - {"train_batch_size"} - own_keys(model)
    given = config.external_config_dict
    # A program may have options of its own.
    return sorted(key for key in given.keys() & all_keys() - known if given[key] is not None)


def _refuse_several(config: Any, nproc: int) -> None:
    """Refuse RecBole's own way to several processes, which the stream does not go."""
    if reads_a_stream(config, config.final_config_dict):
        raise SettingsError(
            f"nproc is {nproc}, but RecBole's own way to several processes trains on other figures "
            "than one process; leave it out, and start the program with torchrun "
            "--nproc_per_node=N (docs/more_processes.md)"
        )


@contextmanager
def _one_run() -> Iterator[None]:
    global _is_single
    before, _is_single = _is_single, True
    try:
        yield
    finally:
        _is_single = before


@contextmanager
def never_silent() -> Iterator[None]:
    """Turn the end of the program inside a run, which some models ask for, into an error.

    Raises
    ------
    StoppedError
    """
    try:
        yield
    except SystemExit as end:
        raise StoppedError(
            f"a model ended the program with status {end.code} before the run was over; what it "
            "said stands above, and nothing was tested"
        ) from end

"""An update of a checkpoint: new events, and new weights where they are asked for and no worse."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.errors import DataError
from recbole_imn.files import file_sum
from recbole_imn.places import require_apart
from recbole_imn.provenance import versions
from recbole_imn.serving.policies import Observed, Policies
from recbole_imn.serving.recommender import Recommender
from recbole_imn.serving.snapshot import EVENT_FIELDS, KEY
from recbole_imn.serving.updating.continuing import first_new
from recbole_imn.serving.updating.items import read_items, tell_items
from recbole_imn.serving.updating.learning import Learned, Lesson, learn
from recbole_imn.serving.updating.reading import Files, Wanted, read_events
from recbole_imn.serving.updating.replaying import observe_events
from recbole_imn.serving.updating.wishes import Wishes

_UPDATED = re.compile(r"(?P<stem>.+)-updated(?:-(?P<number>\d+))?\Z")


@dataclass(frozen=True)
class Updated:
    """What an update has done.

    Attributes
    ----------
    checkpoint, output : Path
        The old checkpoint and the new one.
    sums : dict of str to str
        SHA-256 of the old checkpoint and of each file that was read.
    rows, known_rows : int
        Events of the files, and those of them that the log had already.
    observed : Observed
    n_before : int
        Events of the log before.
    users, items : tuple of int
        Number of them before and after.
    told_items : int or None
        Items that the table of items was the first to tell of; None without one.
    span : tuple of str, or None
        First and last time of the new events.
    model, data_name : str
    simulated : str or None
    seed : int
    learned : Learned or None
        What came of training.
    notes : tuple of str
        What a user should know, one line each.
    """

    checkpoint: Path
    output: Path
    sums: dict[str, str]
    rows: int
    known_rows: int
    observed: Observed
    n_before: int
    users: tuple[int, int]
    items: tuple[int, int]
    told_items: int | None
    span: tuple[str, str] | None
    model: str
    data_name: str
    simulated: str | None
    seed: int
    learned: Learned | None = None
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there was anything to write down."""
        return bool(self.observed.accepted) or self.told_items is not None


def update(
    checkpoint: Path,
    events: Sequence[Path],
    output: Path | None = None,
    wishes: Wishes = Wishes(),  # noqa: B008  # frozen
) -> Updated:
    """Bring a checkpoint up to date; the old file stays as it is until the new one is complete.

    Parameters
    ----------
    checkpoint : Path
        With a snapshot.
    events : sequence of Path
        New events alone, or the whole log again.
    output : Path, optional
        By default beside the checkpoint, ``-updated`` in its name.
    wishes : Wishes

    Returns
    -------
    Updated
        Nothing was written where nothing was new.

    Raises
    ------
    DataError
        If a file cannot be read, for the first event that cannot be taken, or where the files
        contradict the log.
    CheckpointError
        If the checkpoint cannot be used.
    DivergenceError
        If training blows up.
    """
    output = output or output_beside(checkpoint)
    require_apart([("the new checkpoint", output)], files_read(events, wishes.items), DataError)
    found = load_checkpoint(checkpoint)
    memories = (found.get(KEY) or {}).get("memories")
    if wishes.train:
        # Of weights that will move on.
        found.pop("optimizer", None)
    recommender = Recommender(found, checkpoint, policies=Policies(duplicate=wishes.duplicates))
    files = Files(wishes.progress, {"checkpoint": file_sum(checkpoint)})
    done = _observe(recommender, found["config"], output, events, wishes, files)
    if wishes.train and done.observed.accepted:
        config = found["config"]["final"]
        state, identity = state_beside(output), _identity(done, wishes)
        lesson = Lesson(config, done.n_before, memories, state, identity)
        done = replace(done, learned=learn(recommender, lesson, wishes))
    if done.changed:
        recommender.save(output)
        state_beside(output).unlink(missing_ok=True)
    return done


def _observe(
    recommender: Recommender,
    config: Mapping[str, Any],
    output: Path,
    paths: Sequence[Path],
    wishes: Wishes,
    files: Files,
) -> Updated:
    """Read all files, and let the recommender know what is new in them."""
    market, snapshot = recommender.market, recommender.market.snapshot
    fields = [f.name for key in EVENT_FIELDS for f in snapshot.feature_maps[key].fields]
    has_purchases = bool(snapshot.log.purchase.any())
    wanted = Wanted(snapshot.origin, fields, list(snapshot.behaviours)[1:], has_purchases)
    settings = _in_zone_of_the_log(wishes.settings, snapshot.time_zone)
    events = read_events(paths, settings, wanted, files)
    first = first_new(events, market, recommender.clock)
    before = recommender.position, len(market.users) - 1, len(market.items) - 1
    told = None
    if wishes.items is not None:
        items = read_items(wishes.items, settings, files)
        told = tell_items(recommender, wishes.items, items)
    new = events.slice(first)
    observed = observe_events(recommender, new, wishes.progress)
    return Updated(
        Path(recommender.file),
        output,
        files.sums,
        len(events),
        first,
        observed,
        before[0],
        (before[1], len(recommender.users)),
        (before[2], len(recommender.items)),
        told,
        _span(new, recommender),
        str(config["model"]),
        recommender.data_name,
        recommender.simulated,
        int(config["final"].get("seed") or 0),
        notes=_notes(files, settings),
    )


def _in_zone_of_the_log(settings: Mapping[str, Any], time_zone: str | None) -> Mapping[str, Any]:
    """Let clocks hang where those of the log hung, unless somebody says otherwise."""
    return settings if time_zone is None else {"time_zone": time_zone, **settings}


def _notes(files: Files, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which times were read as UTC for want of anything better."""
    if not files.clocks or "time_zone" in settings:
        return ()
    named = ", ".join(dict.fromkeys(files.clocks))
    return (
        f"times of {named} have no offset and were read as UTC: the checkpoint does not say what "
        "time zone its log is in; --time-zone says otherwise",
    )


def _span(new: pl.DataFrame, recommender: Recommender) -> tuple[str, str] | None:
    if len(new) == 0:
        return None
    first, last = float(new["time"][0]), float(new["time"][-1])
    return recommender.clock.text(first), recommender.clock.text(last)


def _identity(done: Updated, wishes: Wishes) -> str:
    """Name an update: whoever repeats it exactly has the same name, and nobody else."""
    of_no_matter = ("progress", "keep")
    plain = {name: value for name, value in vars(wishes).items() if name not in of_no_matter}
    told = {"sums": done.sums, "wishes": plain, "versions": versions()}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def files_read(events: Sequence[Path], items: Path | None) -> list[tuple[str, Path]]:
    """Name the files that an update reads beside the checkpoint."""
    told = [] if items is None else [("the table of items", items)]
    return [("a file of events", path) for path in events] + told


def output_beside(checkpoint: Path) -> Path:
    """Give the usual name of an updated checkpoint; one that is updated again gets a number."""
    found = _UPDATED.match(checkpoint.stem)
    if found is None:
        return checkpoint.with_stem(f"{checkpoint.stem}-updated")
    number = int(found["number"] or 1) + 1
    return checkpoint.with_stem(f"{found['stem']}-updated-{number}")


def state_beside(output: Path) -> Path:
    """Give the file that holds finished epochs until a checkpoint is complete."""
    return output.with_name(f"{output.name}.epochs")

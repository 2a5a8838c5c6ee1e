"""One training run, whose state is kept in a file until the run has been tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from recbole_imn.checkpoints.sealed import CHECKPOINT, STATE, read_sealed, run_of, write_sealed
from recbole_imn.errors import CheckpointError, SettingsError, named_line
from recbole_imn.locks import Lock
from recbole_imn.processes.group import group
from recbole_imn.resume.board import continue_board
from recbole_imn.resume.identity import differences, identity_of, run_id
from recbole_imn.resume.places import TRAINED, seconds_between, told_place
from recbole_imn.resume.state import (
    load_model_state,
    load_random_state,
    load_score_state,
    model_state,
    random_state,
    score_state,
)

# A state that takes long to write is written so seldom that training is no slower by more.
LARGEST_SHARE = 1 / 20
LONG_WRITE = 1.0

# What reading a file that may hold anything, or nothing whole, can end in.
NO_STATE = (ValueError, KeyError, TypeError, AttributeError)


class Run:
    """The position of a trainer in its run, and the file that holds its state.

    The file lies beside the best checkpoint, named after model, data set and
    :func:`~recbole_imn.resume.identity.run_id`, and is replaced when an epoch begins, inside
    epochs every ``resume_minutes``, and when training is finished. Of several processes, all
    read it and one writes it.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
        Before its first epoch.
    train_data, valid_data : recbole.data.dataloader.AbstractDataLoader
    """

    def __init__(self, trainer: Any, train_data: Any, valid_data: Any) -> None:
        self.trainer, self.train_data, self.valid_data = trainer, train_data, valid_data
        self.config = trainer.config
        self.identity = identity_of(trainer)
        self.id = run_id(self.identity)
        self.folder = Path(trainer.checkpoint_dir)
        self.file = self.folder / f"{self._family}-{self.id}.state"
        self.lock = Lock(self.file.with_suffix(".lock"))
        self.seconds = seconds_between(self.config)
        # Epoch and batch from which on the random state is the one that was kept.
        self.position = (0, 0)
        self.loss: Any = None
        # Seconds that this epoch had taken before the run was stopped.
        self.earlier = 0.0
        self._entered = perf_counter()
        self._kept = (-1, 0)
        self._is_owner = False
        self._random: dict[str, Any] | None = None
        self._order = train_data.generator.get_state()
        self._written, self._cost = perf_counter(), 0.0

    @property
    def _notes(self) -> dict[str, Any]:
        """Plain values that somebody keeps with the trainer, such as a learning curve."""
        notes: dict[str, Any] = vars(self.trainer).setdefault("notes", {})
        return notes

    @property
    def _family(self) -> str:
        return f"{self.config['model']}-{self.config['dataset']}"

    # -- beginning -------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin anew; a state of the same run that is further on is left as it is.

        It can only lead to the same figures, and somebody may have forgotten ``--resume``.
        """
        if not group().writes:
            self._kept = TRAINED
            return
        self._is_owner = self.lock.take()
        if not self._is_owner:
            self._stay_away("a run with the same settings is going on")
        elif self.file.exists():
            try:
                state = read_sealed(self.file, STATE)
                self._best_of(state)
                self._respect(tuple(state["position"]), state["epochs"])
            except NO_STATE:
                pass  # it leads nowhere, and is replaced

    def _respect(self, position: tuple[int, int], epochs: int) -> None:
        """Leave a state of the same run as it is until this one is further on."""
        place = f"a run with these settings and {epochs} epochs was stopped {told_place(position)}"
        if epochs > self.trainer.epochs:
            self._stay_away(place)
        elif position != TRAINED or epochs == self.trainer.epochs:
            self._kept = position
            self.trainer.logger.warning(
                f"{place}; --resume (or the setting resume: True) goes on from there"
            )

    def _stay_away(self, reason: str) -> None:
        self._kept, self._is_owner = TRAINED, False
        self.trainer.logger.warning(f"{reason}; no state of this one is kept")

    def can_resume(self) -> bool:
        """Whether a stopped run has left a whole state, for these epochs."""
        try:
            state = read_sealed(self.file, STATE)
            self._check(state)
            self._best_of(state)
        except NO_STATE:
            return False
        return True

    def resume(self) -> None:
        """Go on from the state that a stopped run with the same identity has left.

        Raises
        ------
        SettingsError
            If there is none, or it is still going on, or was to have more epochs.
        CheckpointError
            If a file of it is damaged or gone.
        """
        if not self.file.exists():
            raise SettingsError(self._why_nothing())
        self._is_owner = group().writes and self.lock.take()
        if group().writes and not self._is_owner:
            raise SettingsError(f"nothing to resume: the run of {self.file} is still going on")
        state = read_sealed(self.file, STATE)
        try:
            self._check(state)
            self._apply(state, self._best_of(state))
        except (SettingsError, CheckpointError):
            raise
        except Exception as error:  # a file of anybody may hold anything
            reason = named_line(error)
            raise CheckpointError(f"{self.file} is no state of this run ({reason})") from error

    def _check(self, state: dict[str, Any]) -> None:
        if run_id(state["identity"]) != self.id:
            raise CheckpointError(f"{self.file} is the state of another run")
        now, then = self.trainer.epochs, state["epochs"]
        if now < then:
            raise SettingsError(
                f"epochs is {now}, but the stopped run was to have {then}; on resuming it can only "
                "grow"
            )
        if tuple(state["position"]) == TRAINED and now > then:
            raise SettingsError(
                f"the run of {self.file} has finished its {then} epochs and is yet to be tested: "
                "resume it with these, or begin anew"
            )

    def _apply(self, state: dict[str, Any], best: Path) -> None:
        trainer = self.trainer
        self.position = self._kept = tuple(state["position"])
        self.loss, self.earlier = state["loss"], state["seconds"]
        self._notes.update(state["notes"])
        trainer.saved_model_file = str(best)
        load_score_state(trainer, state["scores"])
        if state["model"] is not None:
            load_model_state(trainer, state["model"], str(self.file))
        self._random, self._order = dict(state["random"]), state["order"]
        load_random_state(self._random)  # again where the epoch goes on
        self.train_data.generator.set_state(self._order)
        if self.valid_data and state["valid_order"] is not None:
            self.valid_data.generator.set_state(state["valid_order"])
        trainer.start_epoch = min(self.position[0], trainer.epochs)
        if not group().writes:
            self._kept = TRAINED
            return
        continue_board(trainer, state["board"], trainer.start_epoch)
        trainer.logger.info(
            f"{self.file}: the run goes on; it was stopped {told_place(self.position)}"
        )

    def _best_of(self, state: dict[str, Any]) -> Path:
        """Give the best checkpoint of a stopped run, which must be there once there was one."""
        best = self.folder / Path(state["checkpoint"]).name
        if state["scores"]["best_valid_result"] is None:
            return best
        if not best.is_file():
            raise CheckpointError(
                f"{best}, the best epoch of the stopped run, is gone; begin anew without resume"
            )
        # Now rather than in the test, which may be hours away.
        read_sealed(best, CHECKPOINT)
        if run_of(best) != self.id:
            raise CheckpointError(
                f"{best} should be the best epoch of the stopped run, but another run has written "
                "it; begin anew without resume"
            )
        return best

    def _why_nothing(self) -> str:
        done = [file for file in self.folder.glob("*.pth") if file.is_file()]
        finished = next((file for file in done if run_of(file) == self.id), None)
        if finished:
            return (
                f"nothing to resume: the run with these settings is finished; its best epoch is "
                f"in {finished}"
            )
        others = list(self.folder.glob(f"{self._family}-{'?' * 16}.state"))
        nothing = f"nothing to resume: {self.folder} has no state of a run of {self._family}"
        if not others:
            return f"{nothing}; leave resume out to begin one"
        latest = max(others, key=lambda file: file.stat().st_mtime)
        try:
            change = differences(self.identity, read_sealed(latest, STATE)["identity"])
        except NO_STATE:
            return f"{nothing} with these settings, and {latest} cannot be read; leave resume out"
        return f"{nothing} with these settings: of the stopped one, {change}"

    # -- going on --------------------------------------------------------------------------

    @property
    def is_trained(self) -> bool:
        """Whether all epochs are done."""
        return self.position == TRAINED

    def enter(self, epoch: int) -> None:
        """Begin an epoch, or go on inside it."""
        self._entered = perf_counter()
        if self._random is not None:
            load_random_state(self._random)
            if self.position[1]:
                return
            self._random = None
        self.position, self.loss, self.earlier = (epoch, 0), None, 0.0
        self._order = self.train_data.generator.get_state()
        self._keep()

    def count(self, loss_func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Let a loss function add what it gives to the epoch's loss, as the trainer does."""

        def counted(interaction: Any) -> Any:
            losses = loss_func(interaction)
            if isinstance(losses, tuple):
                parts = tuple(part.item() for part in losses)
                before = self.loss or (0,) * len(parts)
                self.loss = tuple(a + b for a, b in zip(before, parts, strict=True))
            else:
                self.loss = losses.item() if self.loss is None else self.loss + losses.item()
            return losses

        return counted

    def batches(self) -> Iterator[Any]:
        """Give the epoch's batches from the position on, keeping the state now and then."""
        batches = iter(self.train_data)
        epoch, done = self.position
        # Skipped batches are drawn as they were, for the order of the others.
        for _ in islice(batches, done):
            pass
        if self._random is not None:
            load_random_state(self._random)
            self._random = None
        for batch in batches:
            yield batch
            # The trainer asks for the next one when it has learned from this one.
            done += 1
            self.position = (epoch, done)
            if self._is_due():
                self._keep()

    def trained(self) -> None:
        """Note that all epochs are done, and the best one is yet to be tested."""
        self.position = TRAINED
        self._keep()

    def finish(self) -> None:
        """Remove the state: the run has been tested."""
        if self.is_trained and self._is_owner:
            self.file.unlink(missing_ok=True)

    def _is_due(self) -> bool:
        # The scaler of mixed precision begins anew with every epoch.
        if not self.seconds or self.trainer.enable_scaler:
            return False
        pause = self._cost / LARGEST_SHARE if self._cost > LONG_WRITE else 0.0
        return perf_counter() - self._written >= max(self.seconds, pause)

    def _keep(self) -> None:
        """Write the state, if the file has none that is further on."""
        if self.position <= self._kept:
            return
        begin = perf_counter()
        trainer, board = self.trainer, self.trainer.tensorboard
        board.flush()
        values = {
            "identity": self.identity,
            "epochs": trainer.epochs,
            "position": self.position,
            "loss": self.loss,
            "scores": score_state(trainer),
            "checkpoint": Path(trainer.saved_model_file).name,
            "board": Path(board.log_dir).name,
            "order": self._order,
            "valid_order": self.valid_data.generator.get_state() if self.valid_data else None,
            "random": random_state(),
            "seconds": self.earlier + begin - self._entered,
            "notes": self._notes,
            # Initial weights are made again from the seed.
            "model": model_state(trainer) if self.position > (0, 0) else None,
        }
        try:
            write_sealed(self.file, values, STATE, self.id)
        except (OSError, RuntimeError) as error:  # torch's writer raises both
            trainer.logger.warning(
                f"the state of the run could not be written to {self.file} ({error}); should the "
                f"run be stopped, it would go on from where it was {told_place(self._kept)}"
            )
        else:
            self._kept = self.position
        self._written = perf_counter()
        self._cost = self._written - begin

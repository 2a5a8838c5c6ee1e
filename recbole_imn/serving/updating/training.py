"""Training that goes on with the new part of a log, resumable between epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from recbole_imn.checkpoints import encode_parameters
from recbole_imn.checkpoints.sealed import STATE, read_sealed, run_of, write_sealed
from recbole_imn.errors import CheckpointError, DivergenceError
from recbole_imn.optimizers import SparseAndDense, optimizer_of
from recbole_imn.session import Session
from recbole_imn.stream.plan import windows


@dataclass
class Training:
    """Epochs over some events of a session's log, the states before them made by the weights.

    Attributes
    ----------
    session : Session
        With its states, made by its weights, at any position.
    config : mapping
        ``train_batch_size`` and the settings of the optimiser.
    start, stop : int
        Events to learn from.
    state_file : Path
        Where finished epochs are kept.
    identity : str
        16 hexadecimal digits: of what the state is.
    losses : list of float
        Mean loss of an event, an epoch.
    """

    session: Session
    config: Mapping[str, Any]
    start: int
    stop: int
    state_file: Path
    identity: str
    losses: list[float] = field(default_factory=list)

    def run(self, epochs: int, initial: Mapping[str, Any] | None, progress: bool) -> None:
        """Train for some epochs, those counted in that an interrupted run has finished.

        Parameters
        ----------
        epochs : int
        initial : mapping or None
            States at the first event, made by the old weights, as ``Session.state`` gives
            them; without them the log is replayed.
        progress : bool

        Raises
        ------
        DivergenceError
            If the loss is no number.
        SettingsError
            If there is no such optimiser.
        """
        session = self.session
        optimizer = optimizer_of(session.network, self.config, session.weights_changed)
        self._resume(optimizer)
        for epoch in range(len(self.losses), epochs):
            if epoch == 0 and initial is not None:
                session.load_state(initial)
            else:
                session.weights_changed()
                session.seek(self.start)
            # All that is drawn comes from it, and from the seed.
            session.passes = epoch + 1
            self.losses.append(self._epoch(optimizer, f"epoch {epoch + 1}/{epochs}", progress))
            self._keep(optimizer)
        session.weights_changed()

    def _epoch(self, optimizer: SparseAndDense, name: str, progress: bool) -> float:
        network, size = self.session.network, int(self.config["train_batch_size"])
        total = 0.0
        network.train()
        try:
            with tqdm(
                total=self.stop - self.start, unit="event", desc=name, disable=not progress
            ) as bar:
                for begin, end in windows(self.start, self.stop, size):
                    total += self._step(optimizer, begin, end, size)
                    bar.update(end - begin)
        finally:
            network.eval()
        return total / (self.stop - self.start)

    def _step(self, optimizer: SparseAndDense, start: int, stop: int, size: int) -> float:
        """Take a step by a window's loss, and give the loss, summed over its events."""
        optimizer.zero_grad()
        loss = self.session.train(start, stop)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise DivergenceError(
                f"the loss of events {start:,} to {stop:,} is {value}: training has blown up; the "
                "checkpoint is as it was"
            )
        # A share of a full window, as in training before.
        (loss / size).backward()
        optimizer.step()
        return value

    # -- state -----------------------------------------------------------------------------

    def _keep(self, optimizer: SparseAndDense) -> None:
        values = {
            "losses": list(self.losses),
            "state_dict": self.session.network.state_dict(),
            "optimizer": encode_parameters(optimizer.state_dict()),
        }
        write_sealed(self.state_file, values, STATE, self.identity)

    def _resume(self, optimizer: SparseAndDense) -> None:
        """Take finished epochs of the same update; those of another one are not looked at."""
        if not self.state_file.is_file() or run_of(self.state_file) != self.identity:
            return
        try:
            values = read_sealed(self.state_file, STATE)
        except CheckpointError as error:
            raise CheckpointError(f"{error}; remove it to begin anew") from error
        self.session.network.load_state_dict(values["state_dict"])
        optimizer.load_state_dict(values["optimizer"])
        self.losses = [float(loss) for loss in values["losses"]]


@torch.no_grad()
def same_states(session: Session, state: Mapping[str, Any]) -> None:
    """Give a session states that its weights would make."""
    session.load_state(state)
    session.same_weights()

"""Pieces of work that benchmarks time: training, its stages, replay, ranking, and peers."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import torch

from benchmarks.prepared import Prepared
from benchmarks.timing import wait

STAGES = ("look", "recursion", "losses", "backward", "optimiser", "commit")
RANKED_AT_ONCE = 256
TGN_BATCH = 200


def train_events(run: Prepared, events: int) -> float:
    """Train on the first events of the log, and give events a second."""
    start = perf_counter()
    seen = run.train_on(min(events, run.n_training))
    wait(run.config["device"])
    return seen / (perf_counter() - start)


def timed_window(run: Prepared, start: int, stop: int) -> list[float]:
    """Train on a window, and give the seconds of each stage."""
    network, session, optimizer = run.network, run.session, run.trainer.optimizer
    times = []

    def lap() -> None:
        wait(run.config["device"])
        times.append(perf_counter())

    lap()
    session.past.move_to(stop)
    seed = [session.seed, session.passes]
    window = network.look_at_lessons(session.past, start, stop, seed).to(network.device)
    lap()
    unrolled = network.unroll(window)
    lap()
    loss = network.loss(unrolled) / run.model.rows_per_loss
    lap()
    optimizer.zero_grad()
    loss.backward()
    lap()
    optimizer.step()
    lap()
    session.commit(unrolled)
    lap()
    return list(np.diff(times))


def replay_events(run: Prepared, events: int) -> float:
    """Replay the first events of the log, and give events a second."""
    limit = min(events, run.n_training)
    run.session.rewind()
    start = perf_counter()
    run.session.go_to(limit)
    wait(run.config["device"])
    return limit / (perf_counter() - start)


@torch.no_grad()
def rank_rows(run: Prepared, rows: int) -> float:
    """Rank test rows by the whole catalogue; states are replayed before the clock starts."""
    run.model.eval()
    rows = min(rows, len(run.test._dataset))
    batches = [
        run.test._dataset[np.arange(first, min(first + RANKED_AT_ONCE, rows))]
        for first in range(0, rows, RANKED_AT_ONCE)
    ]
    batches = [batch.to(run.config["device"]) for batch in batches]
    run.model.full_sort_predict(batches[0])
    wait(run.config["device"])
    start = perf_counter()
    for batch in batches:
        run.model.full_sort_predict(batch)
    wait(run.config["device"])
    seconds = perf_counter() - start
    run.model.train()
    return rows / seconds


# -- peers ------------------------------------------------------------------------------------


def train_rows(run: Prepared, batches: int) -> float:
    """Train a model of RecBole on some batches, and give rows a second."""
    run.model.train()
    start, seen = perf_counter(), 0
    for number, batch in enumerate(run.train):
        if number == batches:
            break
        run.trainer.optimizer.zero_grad()
        run.model.calculate_loss(batch).backward()
        run.trainer.optimizer.step()
        seen += len(batch["user_id"])
    return seen / (perf_counter() - start)


def train_tgn(run: Prepared, events: int, width: int) -> float:
    """Train PyG's memory with a link score on the first events, as in PyG's own example.

    Inside its batches states are stale. Needs torch_geometric.
    """
    from torch_geometric.nn.models.tgn import IdentityMessage, LastAggregator, TGNMemory

    log = run.dataset.log
    source = torch.from_numpy(log.user.astype(np.int64))
    target = torch.from_numpy(log.item.astype(np.int64)) + log.n_users
    time = torch.from_numpy(log.time - log.time[0]).long()
    memory = TGNMemory(
        log.n_users + log.n_items,
        1,
        width,
        width,
        message_module=IdentityMessage(1, width, width),
        aggregator_module=LastAggregator(),
    )
    score = torch.nn.Linear(2 * width, 1)
    optimizer = torch.optim.Adam([*memory.parameters(), *score.parameters()])
    memory.train()
    memory.reset_state()
    limit = min(events, run.n_training)
    start = perf_counter()
    for first in range(0, limit, TGN_BATCH):
        part = slice(first, min(first + TGN_BATCH, limit))
        user, item = source[part], target[part]
        other = log.n_users + torch.randint(1, log.n_items, item.shape)
        nodes, place = torch.cat([user, item, other]).unique(return_inverse=True)
        states, _ = memory(nodes)
        of_user, of_item, of_other = states[place].split(len(user))
        positive = score(torch.cat([of_user, of_item], dim=1))
        negative = score(torch.cat([of_user, of_other], dim=1))
        loss = torch.nn.functional.softplus(-positive).mean()
        loss = loss + torch.nn.functional.softplus(negative).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        memory.update_state(user, item, time[part], torch.zeros(len(user), 1))
        memory.detach()
    return limit / (perf_counter() - start)

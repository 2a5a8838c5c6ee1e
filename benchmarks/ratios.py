"""Ratios of speeds at the default window, measured in turns in one run."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import Any

from benchmarks.prepared import Prepared, prepare
from benchmarks.timing import Figure, Work, flops_an_event, in_turns, product_speed, ratio
from benchmarks.work import rank_rows, train_events, train_tgn
from recbole_imn.kernels.in_parallel import threads

WINDOW = 256
HAS_TGN = find_spec("torch_geometric") is not None


def ratio_section(options: argparse.Namespace, width: int) -> str:
    """Time everything in turns, and put the ratios beside their targets."""
    models = prepared_models(options, width)
    rates = in_turns(options.ratio_repeats, works(options, models, width))
    floor = [speed / flops_an_event(models["IMNNet"].model) for speed in rates["products"]]
    lines = [
        f"## Ratios at the default window of {WINDOW} events",
        "",
        f"Training on the first {options.ratio_events:,} events and ranking of {options.rows:,} "
        f"rows, all of them in turns, {options.ratio_repeats} times: a ratio is of figures "
        "measured one after the other. Medians (smallest - largest); one thread, but where two "
        "are named.",
        "",
        "| | rate |",
        "|---|---|",
        *(f"| {name} | {Figure(found)} |" for name, found in rates.items() if name != "products"),
        "",
        "| ratio | figure | target |",
        "|---|---|---|",
    ]
    return "\n".join([*lines, *ratio_rows(rates, floor)])


def prepared_models(options: argparse.Namespace, width: int) -> dict[str, Prepared]:
    """Make each model with the threads that it is timed with."""

    def made(name: str, number: int, **settings: Any) -> Prepared:
        with threads(number):
            return prepare(
                options.dataset,
                options.data_path,
                name,
                train_batch_size=WINDOW,
                embedding_size=width,
                **settings,
            )

    return {
        "IMNNet": made("IMNNet", 1),
        "IMNNet, purchase_reach 0": made("IMNNet", 1, purchase_reach=0),
        "IMNNetPlus": made("IMNNetPlus", 1),
        "IMNNetPlus, 2 threads": made("IMNNetPlus", 2),
    }


def works(options: argparse.Namespace, models: dict[str, Prepared], width: int) -> dict[str, Work]:
    """Give all pieces of work, by what the table says of them."""
    events = options.ratio_events
    found: dict[str, Work] = {"products": limited(1, product_speed)}
    for name, run in models.items():
        number = 2 if name.endswith("2 threads") else 1
        found[trained(name)] = limited(number, lambda run=run: train_events(run, events))
    if HAS_TGN:
        run = models["IMNNet"]
        found[trained("TGNMemory")] = limited(1, lambda: train_tgn(run, events, width))
    for name in ("IMNNet", "IMNNetPlus"):
        run = models[name]
        found[ranked(name)] = limited(1, lambda run=run: rank_rows(run, options.rows))
    return found


def trained(name: str) -> str:
    return f"training of {name}, events/s"


def ranked(name: str) -> str:
    return f"full ranking of {name}, rows/s"


def limited(number: int, work: Work) -> Work:
    """Do a piece of work with so many threads."""

    def done() -> float:
        with threads(number):
            return work()

    return done


def ratio_rows(rates: dict[str, list[float]], floor: list[float]) -> list[str]:
    own, plus = rates[trained("IMNNet")], rates[trained("IMNNetPlus")]
    ranking = ratio(rates[ranked("IMNNet")], rates[ranked("IMNNetPlus")])
    plain = rates[trained("IMNNet, purchase_reach 0")]
    tgn = ratio(own, rates[trained("TGNMemory")]) if HAS_TGN else "torch_geometric is missing"
    threaded = ratio(rates[trained("IMNNetPlus, 2 threads")], plus)
    return [
        f"| floor / training of IMNNet | {ratio(floor, own)} | <= 2.0 |",
        f"| time of an event in training, IMNNetPlus / IMNNet | {ratio(own, plus)} | <= 1.25 |",
        f"| time of a row in ranking, IMNNetPlus / IMNNet | {ranking} | <= 1.3 |",
        f"| events/s, IMNNet / TGNMemory | {tgn} | >= 1.7 |",
        f"| events/s of IMNNetPlus, 2 threads / 1 thread | {threaded} | >= 1.4 |",
        f"| time of an event, IMNNet / IMNNet with purchase_reach 0 | {ratio(plain, own)} | - |",
    ]

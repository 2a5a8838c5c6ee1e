"""What a run is: files, arguments, and what must come of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

Mutation = Callable[[Any, Random], str]


@dataclass
class Result:
    """What a run left behind.

    Attributes
    ----------
    status : int
        Exit status; negative for a signal.
    out, err : str
        Both streams.
    seen : dict
        What the spies in the child saw of data set and settings; empty if it came to nothing.
    folder : Path
        The working folder, as the run left it.
    is_hanging : bool
        Whether the time limit ended it.
    outside : list of str
        Files that were written outside the working folder, or that show that text was executed.
    """

    status: int
    out: str
    err: str
    seen: dict[str, Any]
    folder: Path
    is_hanging: bool = False
    outside: list[str] = field(default_factory=list)


@dataclass
class Expectation:
    """What an input is worth, by the independent reading.

    Attributes
    ----------
    faults : list of str
        Why the input must be refused; empty if it need not be.
    names : sequence of sequence of str
        Each group: texts of which the error line must have at least one.
    may_fail : bool
        Whether a refusal is right as well.
    check : callable
        Says what is wrong with a result of exit status 0, or None.
    """

    faults: list[str] = field(default_factory=list)
    names: Sequence[Sequence[str]] = ()
    may_fail: bool = False
    check: Callable[[Result], str | None] = lambda result: None


@dataclass
class Case:
    """One run.

    Attributes
    ----------
    door : str
        ``run`` for the training command, ``command`` for the others, ``quick_start`` for
        RecBole's own function with ``config`` as its config_dict.
    arguments : list of str
    files : mapping of str to bytes
        Put into the working folder before the run.
    expectation : Expectation
    mutations : list of str
        What was done to a good input.
    """

    door: str
    arguments: list[str]
    files: Mapping[str, bytes]
    expectation: Expectation
    mutations: list[str] = field(default_factory=list)
    config: dict[str, Any] | None = None
    statuses: tuple[int, ...] = (0,)
    limit: float = 60.0


def mutate(
    base: Any, mutations: Mapping[str, Mutation], seed: str, kept: Sequence[int] | None
) -> list[str]:
    """Apply none to three mutations to a good input, each with draws of its own.

    Parameters
    ----------
    base
        What mutations change.
    mutations : mapping
    seed : str
    kept : sequence of int, optional
        Which of the drawn ones to apply; all without it. Leaving some out does not change
        what the others do.

    Returns
    -------
    list of str
        What was done.
    """
    rng = Random(f"{seed}/mutations")
    count = rng.choices((0, 1, 2, 3), (0.15, 0.55, 0.2, 0.1))[0]
    chosen = rng.sample(sorted(mutations), count)
    done = []
    for place, name in enumerate(chosen):
        if kept is None or place in kept:
            done.append(f"{name}: {mutations[name](base, Random(f'{seed}/{place}'))}")
    return done

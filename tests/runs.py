"""Runs of a benchmark without the seconds that a new interpreter takes for each."""

from types import SimpleNamespace

from recbole_imn.evaluation.benchmark import run as one_run


def in_this_process(run, folder, at_a_time):
    """Stand for ``conduct.Process``: the run is made here and now, and a failure is raised."""
    one_run.execute(run, folder, at_a_time)
    return SimpleNamespace(run=run, reason=lambda: "")


def failing(reason):
    """Give what stands for ``conduct.Process`` where every run fails for a reason."""
    return lambda run, folder, at_a_time: SimpleNamespace(run=run, reason=lambda: reason)

"""Runs of a benchmark without the seconds that a new interpreter takes for each."""

from recbole_imn.evaluation.benchmark import run as one_run


def in_this_process(run, folder):
    """Stand for the function of ``conduct`` that starts a process; a failure is raised."""
    one_run.execute(run, folder)
    return ""

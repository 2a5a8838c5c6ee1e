"""What pages of benchmarks say of where their figures come from."""

from benchmarks.prepared import provenance
from recbole_imn.provenance import environment


def test_a_page_names_the_commits_of_its_runs_and_not_of_who_writes_it():
    runs = [{"commit": "b", "torch": "2"}, {"commit": "a", "torch": "2"}, {"torch": "2"}]
    assert provenance(runs) == "commit a and b and not recorded, torch 2."
    assert provenance() == ", ".join(f"{k} {v}" for k, v in environment().items()) + "."

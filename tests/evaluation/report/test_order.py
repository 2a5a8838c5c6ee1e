"""Neither the order of seeds nor that of systems changes a figure of the pages."""

import random
import re

import pytest

from recbole_imn.evaluation.report import write_report
from tests.evaluation.report.conftest import ranks

SYSTEMS = ("JODIE", "IMNNet", "IMNNet fusion=concat", "SASRec", "LastItem")


@pytest.fixture
def bench(make_bench):
    bench = make_bench("czb", "czb is SIMULATED data (seed 1)")
    for number, system in enumerate(SYSTEMS):
        bench.add(system, *(ranks(10 * number + seed, 12 + number) for seed in range(4)))
    # As good as the best baseline: which of them is compared must not depend on the order.
    return bench.add("GRU4Rec", *(ranks(seed, 12) for seed in range(4)))


def pages(bench, runs):
    return [page.read_text() for page in write_report(runs, {}, bench.folder)]


def test_the_order_of_seeds_changes_no_byte_of_the_pages(bench):
    before = pages(bench, bench.runs)
    by_system = [[run for run in bench.runs if run.system == name] for name in SYSTEMS]
    backwards = [run for runs in by_system for run in reversed(runs)]
    seeds_inside = [run for runs in zip(*by_system, strict=True) for run in runs]
    others = [run for run in bench.runs if run.system not in SYSTEMS]
    for runs in ([*backwards, *reversed(others)], [*seeds_inside, *others]):
        assert pages(bench, runs) == before


def test_the_order_of_systems_changes_that_of_rows_alone(bench):
    markdown, _ = pages(bench, bench.runs)
    # Slices have a column a system.
    assert "| SASRec |" in markdown
    for seed in range(3):
        mixed = random.Random(seed).sample(bench.runs, len(bench.runs))
        again, _ = pages(bench, mixed)
        assert again != markdown
        assert lines(again) == lines(markdown)


def lines(page):
    """The page's lines in order, the cells of each sorted."""
    found = (sorted(re.split(r" \| |, (?=[A-Z])", line.strip("| "))) for line in page.splitlines())
    return sorted(found)

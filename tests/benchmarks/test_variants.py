"""Cells of tables of variants."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from benchmarks import variants


def run_of(ranks, users, **about):
    return about, pd.DataFrame({"rank": ranks, "user": users})


def test_costs_are_means_over_seeds_and_who_learns_nothing_has_none():
    runs = [
        run_of(range(6), range(6), events_per_second=events, seconds={"test": {"all": seconds}})
        for events, seconds in ((1_000.0, 0.5), (3_000.0, 0.25))
    ]
    assert variants.costs("IMNNet", runs) == ["2,000", "18"]
    assert variants.costs("RecentHistory", runs) == ["-", "18"]


def test_differences_are_paired_row_by_row_and_seeds_are_averaged():
    users = list("aabb")
    one = [run_of(np.array(ranks), users) for ranks in ([1, 99, 1, 1], [1, 99, 99, 1])]
    other = [run_of(np.array([99, 99, 99, 1]), users)] * 2
    figure = variants.difference(one, other)
    assert figure.mean == np.mean([1, 0, 0.5, 0])
    # User a gains 0.5 a row, user b 0.25.
    assert (figure.low, figure.high) == (0.25, 0.5)
    assert str(variants.difference(one, one)) == "+0.0000 [+0.0000, +0.0000]"


def test_a_variant_has_a_folder_that_a_shell_takes_as_one_word(tmp_path):
    options, data = SimpleNamespace(out=tmp_path), variants.Data("toy", tmp_path)
    assert variants.place(options, data, "with a (small) part").name == "with_a_small_part"

"""What people write into cells."""

from __future__ import annotations

from hypothesis import strategies as st

IDS = st.sampled_from(["a", "b", 'quo"te', "sep;ar,a|t:o r", "é", "007", "NA", " c "])
PIECES = ["a", '"', "\n", "\r\n", "\t", ",", ";", "|", ":", " ", "é"]
NOTES = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
ROWS = st.lists(
    st.tuples(IDS, IDS, st.integers(0, 9), st.sampled_from(["view", "buy"]), NOTES),
    min_size=1,
    max_size=30,
)

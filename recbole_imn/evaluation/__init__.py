"""Judging models row by row: ranks, slices, shelves, tests, reports and benchmarks."""

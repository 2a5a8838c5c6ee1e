"""Fuzzing of the command line: generated inputs, an independent reading, and a judge."""

"""Loops over rows that are compiled for the processor at hand."""

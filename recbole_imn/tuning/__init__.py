"""Tuning of models by their validation score, with the same budget for each."""

"""Logs in, windows and rows out: atomic files, the data set, loaders and the market."""

"""Runs of several processes, which torchrun has started: mends of RecBole, and how they end."""

"""The benchmark: a plan of runs, each in its own process, and one report of all."""

"""Real logs as atomic files: a module a source, and one engine that checks, sorts and writes.

Only the commands that convert and describe import polars; training never does.
"""

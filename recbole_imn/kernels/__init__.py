"""Compiled loops for what torch does slowly on a CPU: many small steps on short rows."""

"""Compiled loops over arrays, with hand-written backward passes where gradients flow."""

"""Passes: one graph type to the next, one pass a file."""

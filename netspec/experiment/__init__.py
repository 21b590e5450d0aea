"""Experiments: nets that differ in one thing, trained, measured, drawn, and compared with what a paper says."""

"""Measured speed, every number beside its floor in the same run; started by `make bench`."""

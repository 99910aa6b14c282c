"""Fault tests: the belt is broken in every way that is known, and its rows must be those of a calm run."""

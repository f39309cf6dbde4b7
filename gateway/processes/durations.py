"""Whole nanoseconds of the units that settings are written in."""

MS = 10**6
SECOND = 10**9

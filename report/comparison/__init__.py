"""Compares two sets of results: ratio, interval and verdict of every time, and what may be compared."""

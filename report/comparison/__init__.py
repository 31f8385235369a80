"""Compares two sets of results: ratio, interval and verdict of every time, and which figures are comparable."""

"""Reads result records and makes the page, its pictures, its tables and comparisons. Knows only the JSON."""

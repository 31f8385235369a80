"""Writes the files of a site: the page, what it links to, and tables for other programs."""

"""The content of the page as data, before translation."""

"""From attempts to a results folder."""

"""Nets in Keras, whatever its backend: shared by the frameworks that name this folder in `shares`."""

"""Nets from their descriptions in Keras, for the proof that they are the same nets."""
